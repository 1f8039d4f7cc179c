/**
 * Reads the metrics of a job from the metric store, in process. Main thread.
 *
 * A job can have millions of values, so the engine is asked in batches: each is
 * parsed in a few milliseconds, and its text is gone before the next one comes.
 */
import type { SubCluster } from "../cluster/cluster.ts";
import type { MetricScope } from "../cluster/metric_scope.ts";
import type { DataScope } from "../engine/data_scope.ts";
import type { MetricEngine } from "../engine/metric_engine.ts";
import { ClientError } from "../errors.ts";
import { arrangeJobData } from "./arrange_job_data.ts";
import type { JobData, JobMetric, MeasuredJob, Series } from "./job_data.ts";
import { withNodeScopes } from "./node_scope.ts";
import {
  type PlannedSeries,
  planSeries,
  type ScopeRequest,
} from "./scope_plan.ts";
import {
  type Entry,
  readEntries,
  seriesOf,
  stepsBefore,
} from "./store_entries.ts";

/** Values that a batch is answered with, and samples that are read for it. */
const BATCH_VALUES = 1 << 16;
const BATCH_SAMPLES = 1 << 20;
const BATCH_QUERIES = 4096;
/** Values of one answer, 8 bytes each: 64 nodes of 72 cores, ten metrics, a day. */
const JOB_VALUES_MAX = 1 << 26;
/** Problems that are told in words; of the others there is a count. */
const PROBLEMS_MAX = 10;

export interface JobDataQuestion {
  /** Unknown names give nothing; absent: all metrics of the sub-cluster. */
  readonly metrics?: readonly string[] | undefined;
  readonly request: ScopeRequest;
  /** Without, series have statistics and no values. */
  readonly withData: boolean;
  /** Seconds between two values, where it is worth while; 0: as measured. */
  readonly resolutionSec: number;
  /** Shorter series are never thinned (`resampling.minimum-points`). */
  readonly minimumPoints: number;
}

export interface LoadedJobData {
  readonly data: JobData;
  /** Why series are missing in `data`; none: it is complete. */
  readonly problems: readonly string[];
}

/**
 * Series without a sample in the store are left out silently, others that cannot
 * be read with a problem. Rejects with `E_INTERNAL` where problems left nothing,
 * with `E_TOO_MANY_SAMPLES` where there is more than an answer may hold, and with
 * what the engine refuses the request as a whole for.
 */
export async function loadJobData(
  engine: Pick<MetricEngine, "query">,
  scope: DataScope,
  job: MeasuredJob,
  subCluster: SubCluster,
  question: JobDataQuestion,
): Promise<LoadedJobData> {
  const { metrics, request, resolutionSec, minimumPoints } = question;
  const reader = new JobReader(engine, scope, job, question.withData);
  const wanted = [...subCluster.metrics.values()].filter(({ name }) =>
    metrics === undefined || metrics.includes(name)
  );
  const plan = planSeries({
    resources: job.resources,
    topology: subCluster.topology,
    metrics: wanted,
    request,
    numAcc: job.numAcc,
  });
  for (const batch of batchesOf(plan, job.duration)) await reader.read(batch);
  const { data, problems } = reader.finish();
  const arranged = question.withData
    ? await arrangeJobData(data, {
      scopes: request.scopes,
      resolutionSec,
      minimumPoints,
    })
    : request.scopes.includes("node")
    ? withNodeScopes(data)
    : data;
  return { data: arranged, problems };
}

/** Cuts a plan into parts that the engine is asked for at once. */
function* batchesOf(
  plan: Iterable<PlannedSeries>,
  durationSec: number,
): Generator<PlannedSeries[]> {
  let batch: PlannedSeries[] = [];
  let values = 0;
  let samples = 0;
  for (const planned of plan) {
    const steps = 1 + Math.ceil(durationSec / planned.metric.timestep);
    const members = Math.max(1, planned.query["type-ids"]?.length ?? 1);
    if (
      batch.length > 0 && (batch.length === BATCH_QUERIES ||
        values + steps > BATCH_VALUES ||
        samples + steps * members > BATCH_SAMPLES)
    ) {
      yield batch;
      batch = [];
      values = 0;
      samples = 0;
    }
    batch.push(planned);
    values += steps;
    samples += steps * members;
  }
  if (batch.length > 0) yield batch;
}

interface MutableMetric extends JobMetric {
  readonly series: Series[];
}

/** Collects what the batches of one job bring. */
class JobReader {
  readonly #engine: Pick<MetricEngine, "query">;
  readonly #scope: DataScope;
  readonly #job: MeasuredJob;
  readonly #withData: boolean;
  readonly #metrics = new Map<string, Map<MetricScope, MutableMetric>>();
  readonly #problems: string[] = [];
  #problemCount = 0;
  #values = 0;

  constructor(
    engine: Pick<MetricEngine, "query">,
    scope: DataScope,
    job: MeasuredJob,
    withData: boolean,
  ) {
    this.#engine = engine;
    this.#scope = scope;
    this.#job = job;
    this.#withData = withData;
  }

  /** Asks for a batch; if it is too much for one request, for its halves. */
  async read(batch: readonly PlannedSeries[]): Promise<void> {
    let entries: readonly (Entry | undefined)[];
    try {
      entries = await this.#ask(batch);
    } catch (error) {
      const isTooMuch = error instanceof ClientError &&
        error.code === "E_TOO_MANY_SAMPLES";
      if (!isTooMuch) throw error;
      if (batch.length === 1) {
        return this.#noteProblem(batch[0]!, error.message);
      }
      const half = batch.length >> 1;
      await this.read(batch.slice(0, half));
      await this.read(batch.slice(half));
      return;
    }
    batch.forEach((planned, i) => {
      const entry = entries[i];
      if (entry !== undefined) this.#add(planned, entry);
    });
  }

  async #ask(
    batch: readonly PlannedSeries[],
  ): Promise<readonly (Entry | undefined)[]> {
    const { cluster, startTime, duration } = this.#job;
    const body = await this.#engine.query(this.#scope, {
      cluster,
      from: startTime,
      to: startTime + Math.max(0, duration),
      queries: batch.map(({ query }) => query),
      withStats: true,
      withData: this.#withData,
      withPadding: false,
      missing: "null",
    });
    return readEntries(body);
  }

  #add(planned: PlannedSeries, entry: Entry): void {
    if (entry.error !== undefined) {
      return this.#noteProblem(planned, entry.error);
    }
    const { startTime, duration } = this.#job;
    const padding = stepsBefore(entry, startTime, duration);
    this.#values += padding + (entry.data?.length ?? 0);
    if (this.#values > JOB_VALUES_MAX) {
      throw new ClientError(
        "E_TOO_MANY_SAMPLES",
        `the job has more than ${JOB_VALUES_MAX} values: ask for fewer metrics or a coarser scope`,
      );
    }
    const { metric, scope } = planned;
    const series = seriesOf(entry, planned, padding);
    let scopes = this.#metrics.get(metric.name);
    if (scopes === undefined) {
      this.#metrics.set(metric.name, scopes = new Map());
    }
    const known = scopes.get(scope);
    if (known !== undefined) known.series.push(series);
    else {
      scopes.set(scope, {
        unit: metric.unit,
        timestep: entry.resolution,
        series: [series],
      });
    }
  }

  #noteProblem({ query, hostname }: PlannedSeries, reason: string): void {
    this.#problemCount++;
    if (this.#problems.length < PROBLEMS_MAX) {
      this.#problems.push(`${query.metric} of ${hostname}: ${reason}`);
    }
  }

  finish(): LoadedJobData {
    const more = this.#problemCount - this.#problems.length;
    const problems = more === 0
      ? this.#problems
      : [...this.#problems, `and ${more} more`];
    if (this.#metrics.size === 0 && problems.length > 0) {
      throw new ClientError(
        "E_INTERNAL",
        `no metric of the job can be read: ${problems.join("; ")}`,
      );
    }
    return { data: this.#metrics, problems };
  }
}
