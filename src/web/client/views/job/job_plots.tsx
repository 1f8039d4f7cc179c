/** The metrics of a job over time, each as band, lines or map. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { JobAnswer, MetricAnswer } from "../../../shared/answers.ts";
import {
  formatClock,
  formatMoment,
  zoneOffset,
} from "../../../shared/times.ts";
import { Icon } from "../../icons.tsx";
import { Empty, Part, Skeleton } from "../../parts/part.tsx";
import { visible } from "../../parts/text.tsx";
import { MetricPlot, type PlotMode } from "../../plots/metric_plot.tsx";
import { PlotTable } from "../../plots/plot_table.tsx";
import { askJobSeries } from "../../plots/series_batch.ts";
import type { PlotData, PlotSeries } from "../../plots/plot_data.ts";
import { nowSec } from "../../clock.ts";
import { useAnswer } from "../../state/answer.ts";
import { metricsOf, zone } from "../../state/session.ts";
import {
  choiceOf,
  choose,
  pinnedHosts,
  scopesOf,
  shownRange,
  thresholdsFor,
  togglePin,
  wholeRange,
  zoomOut,
  zoomTo,
} from "./plot_choice.ts";

const POINTS = 600;
const PLOT_PX = 220;
const NEAR_PX = 300;
const MODE_WORDS: Readonly<Record<PlotMode, string>> = {
  band: "band",
  lines: "lines",
  map: "map",
};

export function JobPlots({ answer }: { answer: JobAnswer }): JSX.Element {
  const { job } = answer;
  const metrics = metricsOf(job.cluster, job.subCluster)
    .filter(({ scope }) => scope !== "accelerator" || job.numAcc > 0);
  if (metrics.length === 0) {
    return (
      <Empty>
        <strong>No metrics are known of {visible(job.cluster)}.</strong>
        <span>They are named by its cluster.json, or by config.json.</span>
      </Empty>
    );
  }
  return (
    <section class="section" aria-label="Metrics">
      <RangeLine answer={answer} />
      <div class="plots">
        {metrics.map((metric) => (
          <PlotCard key={metric.name} answer={answer} metric={metric} />
        ))}
      </div>
    </section>
  );
}

/** Which part of the job is looked at, and which nodes are pinned. */
function RangeLine({ answer }: { answer: JobAnswer }): JSX.Element {
  const { from, to, isWhole } = shownRange(answer);
  const whole = wholeRange(answer);
  const length = whole.to - whole.from || 1;
  const pins = pinnedHosts();
  return (
    <div class="row">
      <span class="small muted">
        {formatMoment(from, zone.value)} to {formatClock(to, zone.value)}{" "}
        {zoneOffset(to, zone.value)}
      </span>
      {!isWhole && (
        <>
          <span class="bar" aria-hidden="true">
            <span
              class="bar-fill"
              style={{
                left: `${((from - whole.from) / length) * 100}%`,
                width: `${((to - from) / length) * 100}%`,
              }}
            />
          </span>
          <button type="button" class="plain" onClick={zoomOut}>
            whole job
          </button>
        </>
      )}
      {pins.map((host) => (
        <span class="chip" key={host}>
          <Icon name="pin" size={14} />
          <span class="cut">{visible(host)}</span>
          <button
            type="button"
            aria-label={`Unpin ${visible(host)}`}
            onClick={() => togglePin(host)}
          >
            <Icon name="close" size={14} />
          </button>
        </span>
      ))}
    </div>
  );
}

function PlotCard(
  { answer, metric }: { answer: JobAnswer; metric: MetricAnswer },
): JSX.Element {
  const ref = useRef<HTMLElement>(null);
  const isNear = useNear(ref);
  const [isTable, setTable] = useState(false);
  const { job } = answer;
  const choice = choiceOf(answer, metric);
  const scopes = scopesOf(metric, job.numAcc > 0);
  const isWholeNode = job.shared !== "none" && metric.scope === "node";
  return (
    <article class="card plot" ref={ref} aria-label={metric.name}>
      <div class="plot-head">
        <h3 title={metric.tooltip}>
          {metric.name}
          {isWholeNode && (
            <>
              {" "}
              <span class="tag" title="Also what other jobs on the node did">
                whole node
              </span>
            </>
          )}
        </h3>
        {scopes.length > 1 && (
          <select
            aria-label={`Scope of ${metric.name}`}
            value={choice.scope}
            onChange={(event) =>
              choose(metric.name, {
                ...choice,
                scope: event.currentTarget.value,
              })}
          >
            {scopes.map((scope) => <option key={scope}>{scope}</option>)}
          </select>
        )}
        <span
          class="modes"
          role="group"
          aria-label={`How ${metric.name} is shown`}
        >
          {(Object.keys(MODE_WORDS) as PlotMode[]).map((mode) => (
            <button
              type="button"
              class="plain"
              key={mode}
              aria-pressed={!isTable && choice.mode === mode}
              onClick={() => {
                setTable(false);
                choose(metric.name, { ...choice, mode });
              }}
            >
              {MODE_WORDS[mode]}
            </button>
          ))}
          <button
            type="button"
            class="plain"
            aria-pressed={isTable}
            aria-label="table"
            onClick={() => setTable(!isTable)}
          >
            <Icon name="table" size={14} />
          </button>
        </span>
      </div>
      {isNear
        ? <PlotBody answer={answer} metric={metric} isTable={isTable} />
        : <Skeleton height={PLOT_PX} />}
    </article>
  );
}

function PlotBody(
  { answer, metric, isTable }: {
    answer: JobAnswer;
    metric: MetricAnswer;
    isTable: boolean;
  },
): JSX.Element {
  const { job } = answer;
  const { mode, scope } = choiceOf(answer, metric);
  const { from, to, isWhole } = shownRange(answer);
  const isRunning = job.state === "running";
  const combine = mode === "band" ? "band" : "each";
  const pins = pinnedHosts();
  const range = isWhole ? {} : { from, to };
  const refresh = isRunning && isWhole
    ? (data: PlotData) =>
      Math.max(
        5,
        Math.min(
          60,
          (data.nextSec ?? data.nowSec + metric.timestep) - nowSec() + 1,
        ),
      )
    : undefined;
  const want = { scope, points: POINTS, combine, ...range } as const;
  const data = useAnswer(
    `${job.id} ${metric.name} ${JSON.stringify(want)} ${job.state}`,
    () => askJobSeries(job.id, metric.name, want),
    refresh,
    { keeps: true },
  );
  const wantPins = { ...want, combine: "each", hosts: pins } as const;
  const ofPins = useAnswer(
    pins.length === 0 || mode !== "band"
      ? undefined
      : `${job.id} ${metric.name} ${JSON.stringify(wantPins)} ${job.state}`,
    () => askJobSeries(job.id, metric.name, wantPins),
    refresh,
    { keeps: true },
  );
  return (
    <Part of={data} height={PLOT_PX}>
      {(value) => {
        if (value.series.length === 0) {
          return <NoSamples answer={answer} metric={metric} data={value} />;
        }
        const pinned: readonly PlotSeries[] = mode === "band"
          ? (ofPins.value?.series ?? []).filter(({ host }) =>
            pins.includes(host)
          )
          : value.series.filter(({ host }) => pins.includes(host));
        return (
          <>
            {isTable
              ? <PlotTable data={value} from={from} to={to} />
              : (
                <MetricPlot
                  data={value}
                  pinned={pinned}
                  metric={thresholdsFor(answer, metric, scope)}
                  mode={mode}
                  from={from}
                  to={to}
                  hasThresholds={metric.peak > 0 || metric.normal > 0}
                  onZoom={(low, high) => zoomTo(answer, low, high)}
                  onZoomOut={zoomOut}
                  onPin={(host) => togglePin(host)}
                />
              )}
            <Missing answer={answer} metric={metric} data={value} />
          </>
        );
      }}
    </Part>
  );
}

/** "3 of 64 nodes sent nothing", with their names. */
function Missing(
  { answer, metric, data }: {
    answer: JobAnswer;
    metric: MetricAnswer;
    data: PlotData;
  },
): JSX.Element | null {
  const named = answer.missing[metric.name] ?? [];
  const hosts = [...new Set([...named, ...data.errors.map(({ host }) => host)])]
    .filter((host) => host !== "");
  if (hosts.length === 0) return null;
  return (
    <details class="small caution">
      <summary>
        {hosts.length} of {answer.job.numNodes} nodes sent nothing
      </summary>
      {hosts.slice(0, 50).map(visible).join(", ")}
      {hosts.length > 50 && ` and ${hosts.length - 50} more`}
    </details>
  );
}

function NoSamples(
  { answer, metric, data }: {
    answer: JobAnswer;
    metric: MetricAnswer;
    data: PlotData;
  },
): JSX.Element {
  const { job } = answer;
  const why = data.errors[0]?.error;
  return (
    <Empty>
      <strong>{metric.name}: no samples in this range</strong>
      <span>
        {job.state === "running"
          ? `They come every ${metric.timestep} s if the nodes send them.`
          : "No node of the job sent it, or it was never archived."}
        {why !== undefined && ` ${visible(why).slice(0, 200)}`}
      </span>
    </Empty>
  );
}

/** Whether an element was near the screen once; what was drawn stays. */
function useNear(ref: { current: HTMLElement | null }): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) {
        setNear(true);
        observer.disconnect();
      }
    }, { rootMargin: `${NEAR_PX}px` });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return isNear;
}
