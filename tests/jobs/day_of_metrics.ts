/**
 * A day of metrics of 32 nodes with four hardware threads each, made by a formula,
 * and what a job over some of it must be answered: computed from the formula alone.
 */
export const STEP_SEC = 60;
export const SLOTS = 1440;
export const THREADS = 4;

export const HOSTS = Array.from(
  { length: 32 },
  (_, i) => i < 8 ? `w120${i + 1}` : `w13${String(i - 7).padStart(2, "0")}`,
);

/** Quarters, so that sums are exact; every metric misses some values. */
export function valueOf(
  metric: string,
  host: number,
  unit: number,
  slot: number,
): number | null {
  if ((slot + host + unit) % 97 === 5) return null;
  const seed = metric.charCodeAt(1) * 31 + host * 7 + unit * 3 + slot;
  return (seed % 211) / 4;
}

/** Metrics with the type at which they are measured and how units are combined. */
export const MEASURED = {
  cpu_load: { type: "node", units: 1, combine: "avg" },
  mem_used: { type: "node", units: 1, combine: "sum" },
  mem_bw: { type: "socket", units: 1, combine: "sum" },
  ipc: { type: "hwthread", units: THREADS, combine: "avg" },
  flops_any: { type: "hwthread", units: THREADS, combine: "sum" },
} as const;
export type MeasuredName = keyof typeof MEASURED;
export const NAMES = Object.keys(MEASURED) as MeasuredName[];

/** Line protocol of some slots, all hosts and metrics. */
export function linesOf(startSec: number, from: number, to: number): string {
  const lines: string[] = [];
  for (let slot = from; slot < to; slot++) {
    for (const name of NAMES) {
      const { type, units } = MEASURED[name];
      for (const [h, host] of HOSTS.entries()) {
        for (let unit = 0; unit < units; unit++) {
          const value = valueOf(name, h, unit, slot);
          if (value === null) continue;
          const id = type === "node" ? "" : `,type-id=${unit}`;
          const time = startSec + slot * STEP_SEC;
          lines.push(
            `${name},cluster=emmy,hostname=${host},type=${type}${id} value=${value} ${time}`,
          );
        }
      }
    }
  }
  return lines.join("\n");
}

export interface ExpectedSeries {
  readonly hostname: string;
  readonly id?: string;
  readonly data: readonly (number | null)[];
}

/**
 * Series of a metric in a scope: `node` combines the threads the job has of a host,
 * `hwthread` has one each. The nodes have one socket, and cores of one thread.
 */
export function expectedSeries(
  name: MeasuredName,
  scope: "node" | "socket" | "core" | "hwthread",
  hosts: readonly number[],
  threads: readonly number[],
): ExpectedSeries[] {
  const { type, combine } = MEASURED[name];
  return hosts.flatMap((host): ExpectedSeries[] => {
    const hostname = HOSTS[host]!;
    const dataOf = (units: readonly number[]) => {
      const data = Array.from({ length: SLOTS }, (_, slot) => {
        let sum = 0;
        for (const unit of units) {
          const value = valueOf(name, host, unit, slot);
          if (value === null) return null;
          sum += value;
        }
        return combine === "avg" ? sum / units.length : sum;
      });
      // A series ends with its last sample, a combined one where the first unit ends.
      const length = (unit: number) =>
        data.findLastIndex((_, slot) =>
          valueOf(name, host, unit, slot) !== null
        ) + 1;
      return data.slice(0, Math.min(...units.map(length)));
    };
    if (type === "node") return [{ hostname, data: dataOf([0]) }];
    if (type === "socket") {
      const id = scope === "node" ? {} : { id: "0" };
      return [{ hostname, ...id, data: dataOf([0]) }];
    }
    if (scope === "node") return [{ hostname, data: dataOf(threads) }];
    // The whole socket counts, also what other jobs have of it.
    const all = Array.from({ length: THREADS }, (_, i) => i);
    if (scope === "socket") return [{ hostname, id: "0", data: dataOf(all) }];
    return threads.map((unit) => ({
      ...{ hostname, id: String(unit), data: dataOf([unit]) },
    }));
  });
}

/** As the archive has it: the mean of the hosts' means, of two decimals. */
export function expectedStatistics(name: MeasuredName): {
  avg: number;
  min: number;
  max: number;
} {
  const all = Array.from({ length: THREADS }, (_, i) => i);
  const hosts = HOSTS.map((_, host) => host);
  const values = expectedSeries(name, "node", hosts, all)
    .map(({ data }) => data.filter((value) => value !== null));
  const means = values.map((some) =>
    some.reduce((sum, value) => sum + value, 0) / some.length
  );
  const avg = means.reduce((sum, mean) => sum + mean, 0) / means.length;
  return {
    avg: Math.round(avg * 100) / 100,
    min: Math.min(...values.flat()),
    max: Math.max(...values.flat()),
  };
}
