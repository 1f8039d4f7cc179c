/** The memory of job data, for handing it to another thread. Pure. */
import type { JobData } from "../jobdata/job_data.ts";

/** The buffers of job data, to be handed to another thread instead of copied. */
export function buffersOf(data: JobData): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const add = (values: Float64Array | null | undefined) => {
    if (values?.buffer instanceof ArrayBuffer) buffers.add(values.buffer);
  };
  for (const scopes of data.values()) {
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
  }
  return [...buffers];
}
