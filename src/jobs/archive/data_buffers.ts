/** The memory of a metric, for handing it to another thread. Pure. */
import type { JobMetricByScope } from "../data/job_data.ts";

/**
 * The buffers of a metric, to be handed to another thread instead of copied. Empty
 * ones stay: series without samples may share one, and it can be handed over once.
 */
export function buffersOf(scopes: JobMetricByScope): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const add = (values: Float64Array | null | undefined) => {
    if (values?.buffer instanceof ArrayBuffer && values.byteLength > 0) {
      buffers.add(values.buffer);
    }
  };
  for (const { series, statisticsSeries } of scopes.values()) {
    for (const { data } of series) add(data);
    add(statisticsSeries?.mean);
    add(statisticsSeries?.median);
    add(statisticsSeries?.min);
    add(statisticsSeries?.max);
    for (const values of statisticsSeries?.percentiles?.values() ?? []) {
      add(values);
    }
  }
  return [...buffers];
}
