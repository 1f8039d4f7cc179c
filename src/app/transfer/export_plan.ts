/**
 * Which slots of a host to ask for. A read is not snapped to a series' grid, so
 * that nominal times come back only where the question begins at one: the tree of
 * `/api/debug` says where the runs of each series lie, and runs that lie alike are
 * asked for together. Pure.
 */

/** A series of the host; `levels` are the names below it. */
export interface HostSeries {
  readonly metric: string;
  readonly levels: readonly string[];
  readonly frequencySec: number;
}

/** Slots at `fromSec, fromSec + frequencySec, …` up to `lastSec`, of many series. */
export interface SlotQuestion {
  readonly fromSec: number;
  readonly lastSec: number;
  /** Indices into the plan's series. */
  readonly series: readonly number[];
}

export interface ExportPlan {
  /** Sorted by metric, then by levels. */
  readonly series: readonly HostSeries[];
  /** Oldest first. */
  readonly questions: readonly SlotQuestion[];
}

export interface ExportRange {
  /** Inclusive. */
  readonly fromSec: number;
  /** Exclusive. */
  readonly toSec: number;
  /** Empty: all metrics. */
  readonly metrics: readonly string[];
}

/** A run as the dump has it: the start of its first slot in use, not the middle. */
interface Run {
  readonly start: number;
  readonly len: number;
  readonly end: number;
}

type Found = HostSeries & { readonly runs: readonly Run[] };

/** `dump`: the tree of one host. Series without slots in the range are left out. */
export function planExport(
  dump: Readonly<Record<string, unknown>>,
  range: ExportRange,
  pointsMax: number,
): ExportPlan {
  const found: Found[] = [];
  collect(dump, [], range, found);
  found.sort((a, b) => compare(nameOf(a), nameOf(b)));
  const series: HostSeries[] = [];
  const groups = new Map<string, SlotQuestion & { series: number[] }>();
  for (const { metric, levels, frequencySec, runs } of found) {
    let isIn = false;
    for (const run of runs) {
      const slots = slotsIn(run, frequencySec, range);
      if (slots === undefined) continue;
      isIn = true;
      const key = `${slots.fromSec} ${slots.lastSec} ${frequencySec}`;
      const group = groups.get(key);
      if (group === undefined) {
        groups.set(key, { ...slots, series: [series.length] });
      } else group.series.push(series.length);
    }
    if (isIn) series.push({ metric, levels, frequencySec });
  }
  const questions = [...groups.values()]
    .sort((a, b) => a.fromSec - b.fromSec)
    .flatMap((group) => {
      const { frequencySec } = series[group.series[0]!]!;
      return bounded(group, frequencySec, pointsMax);
    });
  return { series, questions };
}

/** Cuts a question so that no answer has more points than that. */
function bounded(
  question: SlotQuestion,
  frequencySec: number,
  pointsMax: number,
): SlotQuestion[] {
  const points = (question.lastSec - question.fromSec) / frequencySec + 1;
  const size = Math.max(1, Math.floor(pointsMax / points));
  const cut: SlotQuestion[] = [];
  for (let at = 0; at < question.series.length; at += size) {
    cut.push({ ...question, series: question.series.slice(at, at + size) });
  }
  return cut;
}

function collect(
  level: Readonly<Record<string, unknown>>,
  levels: readonly string[],
  range: ExportRange,
  out: Found[],
): void {
  for (const [name, value] of Object.entries(level)) {
    if (!Array.isArray(value)) {
      collect(
        value as Readonly<Record<string, unknown>>,
        [...levels, name],
        range,
        out,
      );
      continue;
    }
    if (range.metrics.length > 0 && !range.metrics.includes(name)) continue;
    const runs = (value as Run[]).filter(({ len }) => len > 0);
    const [run] = runs;
    if (run === undefined) continue;
    const frequencySec = (run.end - run.start) / run.len;
    out.push({ metric: name, levels, frequencySec, runs });
  }
}

/** The nominal times of a run within the range; `undefined`: there are none. */
function slotsIn(
  run: Run,
  frequencySec: number,
  range: ExportRange,
): { readonly fromSec: number; readonly lastSec: number } | undefined {
  const nominal = run.start + Math.floor(frequencySec / 2);
  const slotAt = (timeSec: number) =>
    Math.ceil((timeSec - nominal) / frequencySec);
  const first = Math.max(0, slotAt(range.fromSec));
  const last = Math.min(run.len, slotAt(range.toSec)) - 1;
  if (last < first) return undefined;
  return {
    fromSec: nominal + first * frequencySec,
    lastSec: nominal + last * frequencySec,
  };
}

function nameOf({ metric, levels }: HostSeries): string {
  return [metric, ...levels].join("\0");
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
