/** Series of a job as frames, out of the store or the archive (web R6, web 4.3). Main thread. */
import { monotonicMs } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import type { JobRow } from "../../db/job_row.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { checkSchema, parseJson } from "../../http/body/json_text.ts";
import type { JobMetric, Series } from "../../jobs/data/job_data.ts";
import { LEADING_NULLS_MAX, stepsOf } from "../../jobs/data/leading_nulls.ts";
import { nextTurn } from "../../jobs/data/turn.ts";
import { JOB_ID, requireJob } from "../../jobs/lifecycle/job_access.ts";
import {
  encodeFrame,
  FRAME_TYPE,
  type FrameArrayAbout,
  type FrameError,
  type FramePart,
} from "../shared/frame.ts";
import { inScope, readJobMetrics } from "./job_metrics_reading.ts";
import { type JobSeriesQuestion, jobSeriesSchema } from "./series_request.ts";
import { type PageServices, webServices } from "./services.ts";
import { Band, gridOf, type PointGrid, thinned } from "./thin_series.ts";

/** Arrays of one frame. */
const ARRAYS_MAX = 1024;
/** Errors that are told; more of them help nobody. */
const ERRORS_MAX = 1000;
/** Samples between two turns for others: a millisecond's work or so. */
const TURN_SAMPLES = 200_000;

async function jobSeries(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const job = await requireJob(services.jobs, call, "E_NOT_FOUND");
  const question = checkSchema(jobSeriesSchema, parseJson(call.body));
  const body = await webServices(services).seriesTurns.run(
    call.principal.shareKey,
    () => frameOf(services, call, job, question),
  );
  const headers = { "Content-Type": FRAME_TYPE, "Cache-Control": "no-store" };
  return { status: 200, headers, body };
}

async function frameOf(
  services: PageServices,
  call: ApiCall,
  job: JobRow,
  question: JobSeriesQuestion,
): Promise<Uint8Array> {
  const startMs = monotonicMs();
  const frame = new JobFrame(job, question);
  const reading = await readJobMetrics(services.jobs, call, job, question);
  call.whenGone(() => reading.close());
  try {
    for await (const named of reading.metrics) {
      const found = inScope(named, question.scope);
      if (found === undefined) continue;
      await frame.add(named.name, found, reading.dataStart);
    }
  } finally {
    reading.close();
  }
  return frame.encode(call.nowMs / 1000, Math.ceil(monotonicMs() - startMs));
}

/** Collects the arrays of a frame. */
class JobFrame {
  readonly #job: JobRow;
  readonly #question: JobSeriesQuestion;
  readonly #parts: FramePart[] = [];
  readonly #errors: FrameError[] = [];
  readonly #found = new Set<string>();
  #grid: PointGrid | undefined;
  #series = 0;
  #samples = 0;
  #sinceTurn = 0;

  constructor(job: JobRow, question: JobSeriesQuestion) {
    this.#job = job;
    this.#question = question;
  }

  async add(
    name: string,
    [scope, metric]: readonly [MetricScope, JobMetric],
    dataStart: number | undefined,
  ): Promise<void> {
    const { hosts, combine, from, to, points } = this.#question;
    this.#found.add(name);
    const wanted = hosts === undefined ? undefined : new Set(hosts);
    const series = metric.series.filter(({ hostname }) =>
      wanted === undefined || wanted.has(hostname)
    );
    this.#noteMissing(name, series, wanted);
    if (series.length === 0) return;
    const grid = gridOf({
      baseSec: baseOf(this.#job, metric, dataStart),
      timestep: metric.timestep,
      steps: series.reduce((most, one) => Math.max(most, stepsOf(one)), 0),
    }, { fromSec: from, toSec: to, points });
    this.#grid ??= grid;
    const about = this.#aboutOf(name, scope, metric, grid);
    if (combine === "band") await this.#addBand(about, series, grid);
    else {
      for (const one of series) {
        this.#push(
          {
            ...about,
            host: one.hostname,
            ...(one.id === undefined ? {} : { id: one.id }),
            stats: one.statistics,
          },
          thinned(one, grid),
        );
        await this.#count(one);
      }
    }
  }

  async #addBand(
    about: FrameArrayAbout,
    series: readonly Series[],
    grid: PointGrid,
  ): Promise<void> {
    const band = new Band(grid);
    for (const one of series) {
      band.add(one);
      await this.#count(one);
    }
    for (const part of ["min", "mean", "max"] as const) {
      this.#push({ ...about, part }, band[part]);
    }
  }

  #aboutOf(
    name: string,
    scope: MetricScope,
    { unit, timestep }: JobMetric,
    grid: PointGrid,
  ): FrameArrayAbout {
    const from = fromOf(grid);
    const step = grid.timestep * grid.factor;
    const first = this.#grid ?? grid;
    return {
      metric: name,
      scope,
      unit,
      native: timestep,
      ...(from === fromOf(first) ? {} : { from }),
      ...(step === first.timestep * first.factor ? {} : { step }),
    };
  }

  #push(about: FrameArrayAbout, values: Float32Array): void {
    if (this.#parts.length >= ARRAYS_MAX) {
      throw new ClientError(
        "E_UNPROCESSABLE",
        `metrics, hosts: more than ${ARRAYS_MAX} series: name some of the hosts, a coarser scope, or combine: band`,
      );
    }
    this.#parts.push({ about, values });
  }

  async #count({ data }: Series): Promise<void> {
    this.#series++;
    this.#samples += data.length;
    this.#sinceTurn += data.length;
    if (this.#sinceTurn < TURN_SAMPLES) return;
    this.#sinceTurn = 0;
    await nextTurn();
  }

  #noteMissing(
    metric: string,
    series: readonly Series[],
    wanted: ReadonlySet<string> | undefined,
  ): void {
    const found = new Set(series.map(({ hostname }) => hostname));
    for (const { hostname: host } of this.#job.resources) {
      if (found.has(host) || (wanted !== undefined && !wanted.has(host))) {
        continue;
      }
      if (this.#errors.length >= ERRORS_MAX) return;
      this.#errors.push({ metric, host, error: "no samples" });
    }
  }

  encode(nowSec: number, ms: number): Uint8Array {
    for (const metric of this.#question.metrics) {
      if (this.#found.has(metric)) continue;
      this.#errors.push({ metric, error: "no samples" });
    }
    const grid = this.#grid;
    const native = Math.min(...this.#parts.map(({ about }) => about.native));
    const { startTime, jobState } = this.#job;
    const now = Math.floor(nowSec);
    return encodeFrame({
      from: grid === undefined ? startTime : fromOf(grid),
      step: grid === undefined ? 0 : grid.timestep * grid.factor,
      points: grid?.points ?? 0,
      nowSec: now,
      ...(jobState === "running" && Number.isFinite(native)
        ? { nextSec: now + native - (now - startTime) % native }
        : {}),
      errors: this.#errors,
      read: { series: this.#series, samples: this.#samples, ms },
    }, this.#parts);
  }
}

function fromOf({ baseSec, first, timestep }: PointGrid): number {
  return baseSec + first * timestep;
}

/** Where step 0 of a metric is: later steps are left out before very late samples. */
function baseOf(
  { startTime }: JobRow,
  { timestep }: JobMetric,
  dataStart: number | undefined,
): number {
  const before = Math.floor(((dataStart ?? startTime) - startTime) / timestep);
  return before > LEADING_NULLS_MAX ? startTime + before * timestep : startTime;
}

export function seriesRoutes(services: PageServices): readonly ApiRoute[] {
  const bound = bindTo(services);
  return [{
    kind: "api",
    group: "web",
    path: "/web/api/jobs/:id/series",
    name: "web-job-series",
    operations: {
      POST: {
        id: "webJobSeries",
        summary: "Series of a job, as a frame of arrays",
        description: "`RSF1`, the length of the header (u32), the header as " +
          "JSON, then the arrays it lists, each from a multiple of 8 bytes.",
        parameters: [JOB_ID],
        body: {
          type: JSON_TYPE,
          schema: jobSeriesSchema,
          example: { metrics: ["cpu_load"] },
          required: true,
        },
        answer: { type: FRAME_TYPE },
        errors: {
          404: "There is no such job, or it is not yours to see.",
          422: "Too many series, or too many samples.",
        },
        handle: bound(jobSeries),
      },
    },
  }];
}
