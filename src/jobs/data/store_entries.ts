/** From the engine's answer to series of a job. Pure. */
import type { JsonBody } from "../../metricstore/engine/metric_engine.ts";
import type { Series, SeriesStatistics } from "./job_data.ts";
import { JsonCursor, type ReadValues } from "./json_cursor.ts";
import { leading } from "./leading_nulls.ts";
import type { PlannedSeries } from "./scope_plan.ts";

/** One entry of an answer (metric-store 5.3). */
export interface Entry {
  readonly error?: string;
  /** Absent: no value. */
  readonly data?: ReadValues;
  /** Seconds; of the first value. */
  readonly from: number;
  /** Seconds between two values. */
  readonly resolution: number;
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/**
 * The first entry of each query; `undefined`: it has none. `pause` is waited for now
 * and then.
 */
export async function readEntries(
  { chunks }: JsonBody,
  pause?: () => Promise<unknown>,
): Promise<readonly (Entry | undefined)[]> {
  const cursor = new JsonCursor(chunks[Symbol.iterator](), pause);
  const found: (Entry | undefined)[] = [];
  await cursor.entries("the answer", async (key) => {
    if (key !== "results") return await cursor.skip();
    await cursor.items(key, async () => {
      let first: Entry | undefined;
      await cursor.items(key, async (i) => {
        if (i === 0) first = await readEntry(cursor);
        else await cursor.skip();
      });
      found.push(first);
    });
  });
  return found;
}

async function readEntry(cursor: JsonCursor): Promise<Entry> {
  const entry: Record<string, unknown> = {};
  await cursor.entries("an entry", async (key) => {
    entry[key] = key === "data"
      ? await cursor.values(key) ?? undefined
      : await cursor.value();
  });
  return entry as unknown as Entry;
}

/** Steps of the job before the first value of an entry that has any (job-api O20). */
export function stepsBefore(
  { data, from, resolution }: Entry,
  startTime: number,
  durationSec: number,
): number {
  if (data === undefined) return 0;
  const steps = Math.floor((from - startTime) / resolution);
  return Math.max(0, Math.min(steps, Math.ceil(durationSec / resolution)));
}

/** So many steps of the job come before the entry. */
export function seriesOf(
  entry: Entry,
  { hostname, id }: Pick<PlannedSeries, "hostname" | "id">,
  steps: number,
): Series {
  const { leadingNulls, data } = entry.data ?? NO_VALUES;
  return {
    hostname,
    ...(id === undefined ? {} : { id }),
    statistics: statisticsOf(entry),
    ...leading(steps + leadingNulls),
    data,
  };
}

const NO_VALUES: ReadValues = { leadingNulls: 0, data: new Float64Array(0) };

/** All three are 0 where one of them has no value. */
function statisticsOf({ min, avg, max }: Entry): SeriesStatistics {
  return min === null || avg === null || max === null
    ? { min: 0, avg: 0, max: 0 }
    : { min, avg, max };
}
