/** The choices for the plots of a job: modes, scopes, pins and range, all in the URL. */
import type { JobAnswer, MetricAnswer } from "../../../shared/answers.ts";
import { scaleThresholds } from "../../../shared/levels.ts";
import { second } from "../../clock.ts";
import type { PlotMode } from "../../plots/metric_plot.tsx";
import { go, place, withQuery } from "../../router.ts";
import { clusters } from "../../state/session.ts";

const SCOPES = [
  "node",
  "socket",
  "memoryDomain",
  "core",
  "hwthread",
  "accelerator",
];
const MODES: readonly PlotMode[] = ["band", "lines", "map"];
/** More lines than these are first shown as a band. */
const LINES_MAX = 8;
const PINS_MAX = 8;
const SHORTEST_SEC = 10;

export interface PlotChoice {
  readonly mode: PlotMode;
  readonly scope: string;
}

/** Scopes a metric can be shown in: its own and all coarser ones. */
export function scopesOf(
  metric: MetricAnswer,
  hasAccelerators: boolean,
): string[] {
  const own = SCOPES.indexOf(metric.scope);
  const scopes = metric.scope === "accelerator"
    ? ["node", "accelerator"]
    : metric.aggregation === ""
    ? [metric.scope]
    : SCOPES.slice(0, own + 1);
  return scopes.filter((scope) => hasAccelerators || scope !== "accelerator");
}

/** How many units of a scope a node of the job has. */
export function unitsOf(answer: JobAnswer, scope: string): number {
  const { cluster, subCluster, numAcc, numNodes } = answer.job;
  const topology = clusters.value.find(({ name }) => name === cluster)
    ?.subClusters.find(({ name }) => name === subCluster)?.topology;
  if (scope === "accelerator") {
    return Math.max(1, Math.round(numAcc / numNodes));
  }
  const list = {
    socket: topology?.socket,
    memoryDomain: topology?.memoryDomain,
    core: topology?.core,
    hwthread: topology?.node,
  }[scope];
  return list?.length ?? 1;
}

/** `view=cpu_load:map:core`, one for each metric that is not as usual. */
export function choiceOf(answer: JobAnswer, metric: MetricAnswer): PlotChoice {
  const found = place.value.search.getAll("view")
    .map((text) => text.split(":"))
    .find(([name]) => name === metric.name);
  const [, mode, scope] = found ?? [];
  const scopes = scopesOf(metric, true);
  const shown = scopes.find((one) => one === scope) ?? scopes[0] ?? "node";
  const lines = answer.job.numNodes * unitsOf(answer, shown);
  const usual = lines > LINES_MAX ? "band" : "lines";
  return { mode: MODES.find((one) => one === mode) ?? usual, scope: shown };
}

export function choose(metric: string, { mode, scope }: PlotChoice): void {
  const others = place.peek().search.getAll("view")
    .filter((text) => text.split(":")[0] !== metric);
  go(withQuery({ view: [...others, `${metric}:${mode}:${scope}`] }), {
    replace: true,
  });
}

export function pinnedHosts(): string[] {
  return place.value.search.getAll("pin").slice(0, PINS_MAX);
}

export function togglePin(...hosts: string[]): void {
  const now = place.peek().search.getAll("pin");
  const isOn = hosts.every((host) => now.includes(host));
  const next = isOn
    ? now.filter((host) => !hosts.includes(host))
    : [...now, ...hosts.filter((host) => !now.includes(host))].slice(-PINS_MAX);
  go(withQuery({ pin: next }), { replace: true });
}

/** When the job began, and when it ended or, while it runs, now. */
export function wholeRange({ job }: JobAnswer): { from: number; to: number } {
  const end = job.state === "running"
    ? Math.max(second.value, job.startTime + 60)
    : job.startTime + Math.max(1, job.duration);
  return { from: job.startTime, to: end };
}

/** The part of it that is looked at. */
export function shownRange(
  answer: JobAnswer,
): { from: number; to: number; isWhole: boolean } {
  const whole = wholeRange(answer);
  const { search } = place.value;
  const [from, to] = ["from", "to"].map((key) =>
    Number(search.get(key) ?? NaN)
  );
  if (!(to! > from!)) return { ...whole, isWhole: true };
  return { from: from!, to: to!, isWhole: false };
}

/** Zooms all plots; Back goes back. */
export function zoomTo(answer: JobAnswer, from: number, to: number): void {
  const whole = wholeRange(answer);
  const low = Math.max(whole.from, Math.floor(from));
  const high = Math.min(whole.to, Math.ceil(to));
  if (high - low < SHORTEST_SEC) return;
  const isWhole = low <= whole.from && high >= whole.to;
  go(
    withQuery(
      isWhole ? { from: undefined, to: undefined } : { from: low, to: high },
    ),
  );
}

export function zoomOut(): void {
  go(withQuery({ from: undefined, to: undefined }));
}

/** Thresholds for what a scope shows; those of a node are for all of it. */
export function thresholdsFor(
  answer: JobAnswer,
  metric: MetricAnswer,
  scope: string,
): MetricAnswer {
  const share = scope === "node" ? 1 : 1 / unitsOf(answer, scope);
  return { ...metric, ...scaleThresholds(metric, metric.aggregation, share) };
}
