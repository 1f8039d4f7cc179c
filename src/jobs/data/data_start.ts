/**
 * Where the samples of a job begin that has run for much longer than the store keeps
 * samples. Main thread.
 */
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { MeasuredJob } from "./job_data.ts";
import type { PlannedSeries } from "./scope_plan.ts";
import { readEntries } from "./store_entries.ts";

const BATCH_QUERIES = 4096;

/**
 * The time of the first sample of any planned series, Unix seconds; `undefined`: there
 * is none while the job ran. Cheap: an empty range reads no samples, and the store
 * says where the first one behind it is.
 */
export async function findDataStart(
  engine: Pick<MetricEngine, "query">,
  scope: DataScope,
  { cluster, startTime, duration }: MeasuredJob,
  plan: Iterable<PlannedSeries>,
): Promise<number | undefined> {
  let first = Infinity;
  const ask = async (batch: readonly PlannedSeries[]) => {
    const body = await engine.query(scope, {
      cluster,
      from: startTime,
      to: startTime,
      queries: batch.map(({ query }) => query),
      withStats: false,
      withData: false,
      withPadding: false,
      missing: "null",
    });
    try {
      for (const entry of await readEntries(body)) {
        if (entry === undefined || entry.error !== undefined) continue;
        first = Math.min(first, entry.from);
      }
    } finally {
      body.release?.();
    }
  };
  let batch: PlannedSeries[] = [];
  for (const planned of plan) {
    batch.push(planned);
    if (batch.length < BATCH_QUERIES) continue;
    await ask(batch);
    batch = [];
  }
  if (batch.length > 0) await ask(batch);
  return first < startTime + duration ? first : undefined;
}
