/** Says in words what is odd about the job: nodes that do something else than the others. */
import type { JSX } from "preact";
import type {
  JobAnswer,
  JobRowAnswer,
  StatisticsAnswer,
} from "../../../shared/answers.ts";
import {
  type Finding,
  findingText,
  findOutliers,
  oddSince,
} from "../../../shared/findings.ts";
import { LEVELS } from "../../../shared/levels.ts";
import { formatClock, formatMoment } from "../../../shared/times.ts";
import { getJson } from "../../api.ts";
import { LevelMark } from "../../parts/level.tsx";
import { visible } from "../../parts/text.tsx";
import { bandOf } from "../../plots/plot_data.ts";
import { askJobSeries } from "../../plots/series_batch.ts";
import { useAnswer } from "../../state/answer.ts";
import { metricsOf, zone } from "../../state/session.ts";
import { pinnedHosts, togglePin } from "./plot_choice.ts";

const NODES_MIN = 4;
const FINDINGS_MAX = 4;
const HOSTS_MAX = 8;
const POINTS = 600;
const LIVE_SEC = 60;

export function Findings(
  { answer }: { answer: JobAnswer },
): JSX.Element | null {
  const { job } = answer;
  const statistics = useAnswer(
    job.numNodes < NODES_MIN ? undefined : `findings ${job.id} ${job.state}`,
    () => getJson<StatisticsAnswer>(`jobs/${job.id}/statistics?scope=node`),
    job.state === "running" ? LIVE_SEC : undefined,
    { keeps: true },
  );
  const findings = together(
    (statistics.value?.metrics ?? [])
      .flatMap(({ name, rows }) =>
        findOutliers(name, rows.map(([host, , , avg]) => ({ host, avg })))
      )
      .sort((a, b) => weight(b, job) - weight(a, job)),
  )
    .slice(0, FINDINGS_MAX);
  const bad = job.footprint.filter(({ level }) =>
    level === "alert" || level === "over-peak"
  );
  if (findings.length === 0 && bad.length === 0) return null;
  return (
    <section aria-label="Findings">
      {findings.map(({ finding, also }) => (
        <FindingLine
          key={finding.metric + finding.side}
          answer={answer}
          finding={finding}
          also={also}
        />
      ))}
      {bad.length > 0 && (
        <p class="finding">
          {bad.map(({ metric, stat, level }) => (
            <span key={metric}>
              <LevelMark level={level} withWord /> {metric} ({stat}):{" "}
              {LEVELS[level].advice}
            </span>
          ))}
        </p>
      )}
    </section>
  );
}

interface Together {
  readonly finding: Finding;
  /** Metrics in which the same nodes are odd in the same way. */
  readonly also: readonly string[];
}

/** One line for nodes that are odd in several metrics. */
function together(findings: readonly Finding[]): Together[] {
  const lines = new Map<string, { finding: Finding; also: string[] }>();
  for (const finding of findings) {
    const key = `${finding.side} ${[...finding.hosts].sort()}`;
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { finding, also: [] });
    else line.also.push(finding.metric);
  }
  return [...lines.values()];
}

/** Metrics of the footprint first, then what lies far off, then what few nodes do. */
function weight(finding: Finding, job: JobRowAnswer): number {
  const metrics = metricsOf(job.cluster, job.subCluster);
  const metric = metrics.find(({ name }) => name === finding.metric);
  return (metric?.footprint ? 4 : 0) + (finding.isFar ? 2 : 0) +
    (finding.side === "below" ? 1 : 0);
}

function FindingLine(
  { answer, finding, also }: Together & { answer: JobAnswer },
): JSX.Element {
  const { job } = answer;
  const hosts = finding.hosts.slice(0, HOSTS_MAX);
  const since = useAnswer(
    `since ${job.id} ${finding.metric} ${hosts} ${job.state}`,
    async () => {
      const common = { scope: "node", points: POINTS } as const;
      const [odd, all] = await Promise.all([
        askJobSeries(job.id, finding.metric, {
          ...common,
          combine: "each",
          hosts,
        }),
        askJobSeries(job.id, finding.metric, { ...common, combine: "band" }),
      ]);
      const mean = bandOf(all)?.mean;
      const first = odd.series[0];
      if (mean === undefined || first === undefined) return undefined;
      const at = Math.max(
        ...odd.series.map(({ values }) => oddSince(values, mean.values)),
      );
      return at <= 2 ? undefined : first.from + at * first.step;
    },
  );
  const pins = pinnedHosts();
  const isPinned = hosts.every((host) => pins.includes(host));
  const left = finding.hosts.length - hosts.length;
  return (
    <div class="finding">
      <strong>
        {findingText(finding)}{" "}
        {since.value !== undefined && (
          <span title={formatMoment(since.value, zone.value)}>
            since {formatClock(since.value, zone.value)}
          </span>
        )}
      </strong>
      <span>
        {hosts.map(visible).join(", ")}
        {left > 0 && ` and ${left} more`}
        {also.length > 0 && `; also in ${also.join(", ")}`}
      </span>
      <button
        type="button"
        class="plain"
        aria-pressed={isPinned}
        onClick={() => togglePin(...hosts)}
      >
        {isPinned ? "unpin" : "pin"}
      </button>
    </div>
  );
}
