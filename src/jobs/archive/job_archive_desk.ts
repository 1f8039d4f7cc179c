/** Answers the requests to a worker of the job archive. Worker threads only. */
import { assert } from "../../base/assert.ts";
import { ClientError } from "../../base/errors.ts";
import { pathOf } from "./archive_error.ts";
import type { JobPlace } from "./archive_layout.ts";
import { compressStep } from "./compression.ts";
import {
  type JobArchive,
  type JobWriter,
  openJobArchive,
} from "./job_archive.ts";
import type {
  CallInput,
  JobArchiveReply,
  JobArchiveRequest,
  StatisticsOrReason,
} from "./job_archive_messages.ts";
import { MetricPull } from "./metric_pull.ts";

export class JobArchiveDesk {
  #archive: JobArchive | undefined;
  /** Ends when all requests so far are answered. */
  #last: Promise<unknown> = Promise.resolve();
  /** Jobs that are being written, and read. */
  readonly #writers = new Map<number, JobWriter>();
  readonly #readers = new Map<number, MetricPull>();
  #lastNumber = 0;

  /**
   * The answer, once all requests before this one have theirs. Reading metrics takes
   * long and keeps nobody waiting.
   */
  answer(request: JobArchiveRequest): Promise<JobArchiveReply> {
    if (request.call === "nextMetric") return this.#answer(request);
    const reply = this.#last.then(() => this.#answer(request));
    this.#last = reply;
    return reply;
  }

  async #answer(request: JobArchiveRequest): Promise<JobArchiveReply> {
    const { id } = request;
    try {
      return { id, isOk: true, value: await this.#do(request) };
    } catch (error) {
      return {
        id,
        isOk: false,
        code: error instanceof ClientError ? error.code : "E_INTERNAL",
        message: error instanceof Error ? error.message : String(error),
        path: pathOf(error),
      };
    }
  }

  async #do(request: JobArchiveRequest): Promise<unknown> {
    if (request.call === "open") {
      this.#archive = openJobArchive(request.input.root, request.input);
      return undefined;
    }
    const archive = this.#archive;
    assert(archive !== undefined, "an archive is opened before it is used");
    switch (request.call) {
      case "beginWrite":
        this.#writers.set(++this.#lastNumber, archive.begin(request.input));
        return this.#lastNumber;
      case "addMetric":
        return await this.#writer(request.input.number)
          .add(request.input.metric);
      case "finishWrite":
        await this.#writer(request.input.number).finish(request.input.meta);
        this.#writers.delete(request.input.number);
        return undefined;
      case "abortWrite":
        this.#writers.get(request.input)?.abort();
        this.#writers.delete(request.input);
        return undefined;
      case "editMeta":
        return archive.editMeta(request.input.place, request.input.edit);
      case "readMeta":
        return archive.readMeta(request.input);
      case "readStatistics":
        return request.input.map((place) => statisticsOf(archive, place));
      case "openData":
        return this.#open(archive, request.input);
      case "nextMetric":
        return await this.#reader(request.input).next();
      case "closeData":
        this.#readers.get(request.input)?.close();
        this.#readers.delete(request.input);
        return undefined;
      case "copyTo":
        return archive.copyTo(
          openJobArchive(request.input.targetRoot, { keepsGroup: true }),
          request.input.place,
        );
      case "remove":
        return archive.remove(request.input);
      case "compress":
        return await compressStep(
          archive.root,
          request.input,
          archive.files,
        );
    }
  }

  #open(
    archive: JobArchive,
    { place, selection }: CallInput<"openData">,
  ): number {
    archive.requireData(place);
    const reader = new MetricPull((take) =>
      archive.readMetrics(place, take, selection)
    );
    this.#readers.set(++this.#lastNumber, reader);
    return this.#lastNumber;
  }

  #writer(number: number): JobWriter {
    const writer = this.#writers.get(number);
    assert(writer !== undefined, "a job is begun before it is written");
    return writer;
  }

  #reader(number: number): MetricPull {
    const reader = this.#readers.get(number);
    assert(reader !== undefined, "metrics are opened before they are read");
    return reader;
  }
}

/** One bad file leaves its own job without statistics, not the whole list. */
function statisticsOf(
  archive: JobArchive,
  place: JobPlace,
): StatisticsOrReason {
  try {
    return { statistics: archive.readMeta(place).statistics };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const path = pathOf(error);
    return {
      statistics: null,
      reason: path === "" ? reason : `${path}: ${reason}`,
    };
  }
}
