/**
 * Samples of a real job, repeated over as many hosts as wanted: each host has the
 * nine traces of one of the job's 32 nodes, begun at an offset of its own, so that
 * no two hosts have the same value at the same time.
 */
import {
  readRealJob,
  REAL_JOB_CLUSTER,
  REAL_JOB_STEP_SEC,
} from "../../tests/support/real_job.ts";
import type { MetricEntry } from "../../tests/support/server.ts";

/** Characters of a body. */
const BODY_CHARS = 200_000;
/** Slots between the beginnings of two hosts. */
const OFFSET_SLOTS = 37;

export interface TraceBody {
  readonly text: string;
  readonly samples: number;
}

interface HostTrace {
  readonly prefix: string;
  readonly offset: number;
  readonly values: readonly (number | null)[];
}

export class TraceLoad {
  readonly metrics: Readonly<
    Record<string, MetricEntry>
  >;
  readonly #series: readonly HostTrace[];

  constructor(seriesCount: number) {
    const job = readRealJob();
    this.metrics = Object.fromEntries(
      job.metrics.map((
        name,
      ) => [name, { frequency: REAL_JOB_STEP_SEC, aggregation: "avg" }]),
    );
    const byHost = job.hosts.map((host) =>
      job.traces.filter((trace) => trace.host === host)
    );
    this.#series = Array.from(
      { length: Math.ceil(seriesCount / job.metrics.length) },
      (_, host) =>
        byHost[host % byHost.length]!.map(({ metric, values }) => ({
          prefix:
            `${metric},cluster=${REAL_JOB_CLUSTER},hostname=n${host},type=node value=`,
          offset: (host * OFFSET_SLOTS) % values.length,
          values,
        })),
    ).flat();
  }

  get seriesCount(): number {
    return this.#series.length;
  }

  /** One scrape of all hosts in bodies of about `bodyChars`. */
  *bodies(
    slot: number,
    timeSec: number,
    bodyChars: number = BODY_CHARS,
  ): Generator<TraceBody> {
    let text = "";
    let samples = 0;
    for (const { prefix, offset, values } of this.#series) {
      const value = values[(slot + offset) % values.length];
      if (value === null || value === undefined) continue;
      text += `${prefix}${value} ${timeSec}\n`;
      samples++;
      if (text.length < bodyChars) continue;
      yield { text, samples };
      text = "";
      samples = 0;
    }
    if (samples > 0) yield { text, samples };
  }
}
