/**
 * Reads the metrics of a job from the metric store, in process. Main thread.
 *
 * A job can have many millions of values, so they come metric by metric, and the
 * engine is asked in batches: each is parsed in pieces of a few milliseconds, and its
 * text is gone before the next one comes. Steps of the job without samples are
 * counted, never held.
 */
import type { SubCluster } from "../../config/clusters/cluster.ts";
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import { arrangeMetric } from "./arrange_job_data.ts";
import { findDataStart } from "./data_start.ts";
import type {
  JobData,
  JobMetric,
  JobMetricByScope,
  MeasuredJob,
  NamedMetric,
  Series,
} from "./job_data.ts";
import { LEADING_NULLS_MAX } from "./leading_nulls.ts";
import { withNodeScope } from "./node_scope.ts";
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
import { nextTurn } from "./turn.ts";

/** Values that a batch is answered with, and samples that are read for it. */
const BATCH_VALUES = 1 << 16;
const BATCH_SAMPLES = 1 << 20;
const BATCH_QUERIES = 4096;
/**
 * Values of one metric in all its scopes, 8 bytes each: two days of ten seconds of
 * 8 nodes with 128 threads and 64 cores. They are in memory at a time.
 */
export const METRIC_VALUES_MAX = 1 << 25;
/** Values of a job that is read as a whole. */
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
  /** As in `JobDataView`. */
  readonly withoutStatisticsSeries?: boolean | undefined;
  /** Aborted when the rest is not wanted. */
  readonly signal?: AbortSignal | undefined;
}

export interface LoadedJobData {
  readonly data: JobData;
  /** Why series are missing in `data`; none: it is complete. */
  readonly problems: readonly string[];
}

/** The metrics of a job that are being read. */
export interface OpenJobData {
  /**
   * Where the series of a job begin that began long before its first sample, Unix
   * seconds. Series of steps of `t` seconds begin there if so many steps would come
   * before that they are not written; else, and where it is absent, they begin at
   * the start of the job.
   */
  readonly dataStart: number | undefined;
  /** In the order of the names; each is made when it is asked for. */
  readonly metrics: AsyncGenerator<NamedMetric, void>;
  /** Why series were missing in those that have come so far. */
  readonly problems: readonly string[];
}

/**
 * Series without a sample in the store are left out silently, others that cannot be
 * read with a problem. Rejects, here or when a metric is asked for, with `E_INTERNAL`
 * where problems left nothing, with `E_TOO_MANY_SAMPLES` where a metric has more than
 * may be in memory, and with the error by which the engine refuses the request as a
 * whole.
 */
export async function openJobData(
  engine: Pick<MetricEngine, "query">,
  scope: DataScope,
  job: MeasuredJob,
  subCluster: SubCluster,
  question: JobDataQuestion,
): Promise<OpenJobData> {
  const { metrics, request, withData } = question;
  const wanted = [...subCluster.metrics.values()].filter(({ name }) =>
    metrics === undefined || metrics.includes(name)
  ).sort((a, b) => a.name < b.name ? -1 : 1);
  const plan = () =>
    planSeries({
      resources: job.resources,
      topology: subCluster.topology,
      metrics: wanted,
      request,
      numAcc: job.numAcc,
    });
  const dataStart = withData &&
      wanted.some((metric) =>
        job.duration / metric.timestep > LEADING_NULLS_MAX
      )
    ? await findDataStart(engine, scope, job, plan())
    : undefined;
  const reader = new JobReader(engine, scope, job, question, dataStart);
  return {
    dataStart: wanted.some((metric) => reader.stepsLeftOut(metric.timestep) > 0)
      ? dataStart
      : undefined,
    metrics: arranged(reader.metrics(plan()), question),
    problems: reader.problems,
  };
}

/** Loads all metrics at once, for data known to be small. */
export async function loadJobData(
  engine: Pick<MetricEngine, "query">,
  scope: DataScope,
  job: MeasuredJob,
  subCluster: SubCluster,
  question: JobDataQuestion,
): Promise<LoadedJobData> {
  const { metrics, problems } = await openJobData(
    engine,
    scope,
    job,
    subCluster,
    question,
  );
  const data = new Map<string, JobMetricByScope>();
  let values = 0;
  for await (const { name, scopes } of metrics) {
    values += valuesOf(scopes);
    if (values > JOB_VALUES_MAX) throw tooManyValues("the job", JOB_VALUES_MAX);
    data.set(name, scopes);
  }
  return { data, problems };
}

/** Samples that are in memory for a metric. */
export function valuesOf(scopes: JobMetricByScope): number {
  let values = 0;
  for (const { series } of scopes.values()) {
    for (const { data } of series) values += data.length;
  }
  return values;
}

async function* arranged(
  metrics: AsyncIterable<NamedMetric>,
  {
    request: { scopes },
    withData,
    resolutionSec,
    minimumPoints,
    withoutStatisticsSeries,
  }: JobDataQuestion,
): AsyncGenerator<NamedMetric, void> {
  for await (const metric of metrics) {
    if (withData) {
      yield await arrangeMetric(metric, {
        scopes,
        resolutionSec,
        minimumPoints,
        withoutStatisticsSeries,
      });
    } else if (scopes.includes("node")) {
      const { name } = metric;
      yield { name, scopes: withNodeScope(name, metric.scopes) };
    } else yield metric;
  }
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

/** Collects what the batches of one job bring, and gives each metric that is complete. */
class JobReader {
  readonly problems: string[] = [];
  readonly #engine: Pick<MetricEngine, "query">;
  readonly #scope: DataScope;
  readonly #job: MeasuredJob;
  readonly #withData: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #dataStart: number | undefined;
  /** Metrics that have been begun, in the order of the plan. */
  readonly #metrics = new Map<string, Map<MetricScope, MutableMetric>>();
  readonly #values = new Map<string, number>();
  #given = 0;
  #problemCount = 0;

  constructor(
    engine: Pick<MetricEngine, "query">,
    scope: DataScope,
    job: MeasuredJob,
    { withData, signal }: JobDataQuestion,
    dataStart: number | undefined,
  ) {
    this.#engine = engine;
    this.#scope = scope;
    this.#job = job;
    this.#withData = withData;
    this.#signal = signal;
    this.#dataStart = dataStart;
  }

  async *metrics(
    plan: Iterable<PlannedSeries>,
  ): AsyncGenerator<NamedMetric, void> {
    const { startTime, duration } = this.#job;
    const measuredSec = startTime + duration - (this.#dataStart ?? startTime);
    for (const batch of batchesOf(plan, Math.max(0, measuredSec))) {
      this.#signal?.throwIfAborted();
      await this.#read(batch);
      // The last one may go on in the next batch.
      yield* this.#complete(batch.at(-1)?.metric.name);
      await nextTurn();
    }
    yield* this.#complete(undefined);
    this.#noteMoreProblems();
    if (this.#given === 0 && this.#problemCount > 0) {
      throw new ClientError(
        "E_INTERNAL",
        `no metric of the job can be read: ${this.problems.join("; ")}`,
      );
    }
  }

  /** Steps of `timestep` seconds before the series of such a metric begin. */
  stepsLeftOut(timestep: number): number {
    const { startTime } = this.#job;
    const before = (this.#dataStart ?? startTime) - startTime;
    const steps = Math.floor(before / timestep);
    return steps > LEADING_NULLS_MAX ? steps : 0;
  }

  *#complete(unfinished: string | undefined): Generator<NamedMetric> {
    for (const [name, scopes] of this.#metrics) {
      if (name === unfinished) continue;
      this.#metrics.delete(name);
      this.#values.delete(name);
      this.#given++;
      yield { name, scopes };
    }
  }

  /** Asks for a batch; if it is too much for one request, for its halves. */
  async #read(batch: readonly PlannedSeries[]): Promise<void> {
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
      await this.#read(batch.slice(0, half));
      await this.#read(batch.slice(half));
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
    try {
      return await readEntries(body, () => nextTurn());
    } finally {
      body.release?.();
    }
  }

  #add(planned: PlannedSeries, entry: Entry): void {
    if (entry.error !== undefined) {
      return this.#noteProblem(planned, entry.error);
    }
    const { metric, scope } = planned;
    const { startTime, duration } = this.#job;
    const before = stepsBefore(entry, startTime, duration);
    const series = seriesOf(
      entry,
      planned,
      Math.max(0, before - this.stepsLeftOut(entry.resolution)),
    );
    const values = (this.#values.get(metric.name) ?? 0) + series.data.length;
    if (values > METRIC_VALUES_MAX) {
      throw tooManyValues(
        `metric ${metric.name} of the job`,
        METRIC_VALUES_MAX,
      );
    }
    this.#values.set(metric.name, values);
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
    if (this.problems.length < PROBLEMS_MAX) {
      this.problems.push(`${query.metric} of ${hostname}: ${reason}`);
    }
  }

  #noteMoreProblems(): void {
    const more = this.#problemCount - this.problems.length;
    if (more > 0) this.problems.push(`and ${more} more`);
  }
}

function tooManyValues(what: string, max: number): ClientError {
  return new ClientError(
    "E_TOO_MANY_SAMPLES",
    `${what} has more than ${max} values: ask for a coarser scope`,
  );
}
