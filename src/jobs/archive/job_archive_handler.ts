/** Answers the requests to a worker of the job archive. Worker threads only. */
import { assert } from "../../base/assert.ts";
import type { CallInput, WorkerCall } from "../../base/worker_call.ts";
import { pathOf } from "./archive_error.ts";
import type { JobPlace } from "./archive_layout.ts";
import { compressStep } from "./compression.ts";
import {
  type JobArchive,
  type JobWriter,
  openJobArchive,
} from "./job_archive.ts";
import type {
  JobArchiveCalls,
  StatisticsOrReason,
} from "./job_archive_calls.ts";
import { MetricPull } from "./metric_pull.ts";

type Call = WorkerCall<JobArchiveCalls>;

export class JobArchiveHandler {
  #archive: JobArchive | undefined;
  /** Resolves when all calls so far are done. */
  #last: Promise<unknown> = Promise.resolve();
  /** Jobs that are being written, and read. */
  readonly #writers = new Map<number, JobWriter>();
  readonly #readers = new Map<number, MetricPull>();
  #lastNumber = 0;

  /**
   * Resolves with the value of a call, once all calls before it are done; `nextMetric`
   * takes long and no call waits for it. Rejects with the error of the call.
   */
  answer(call: Call): Promise<unknown> {
    if (call.name === "nextMetric") return this.#do(call);
    const value = this.#last.then(() => this.#do(call));
    this.#last = value.catch(() => {});
    return value;
  }

  async #do(call: Call): Promise<unknown> {
    if (call.name === "open") {
      this.#archive = openJobArchive(call.input.root, call.input);
      return undefined;
    }
    const archive = this.#archive;
    assert(archive !== undefined, "an archive is opened before it is used");
    switch (call.name) {
      case "beginWrite":
        this.#writers.set(++this.#lastNumber, archive.begin(call.input));
        return this.#lastNumber;
      case "addMetric":
        return await this.#writer(call.input.number)
          .add(call.input.metric);
      case "finishWrite":
        await this.#writer(call.input.number).finish(call.input.meta);
        this.#writers.delete(call.input.number);
        return undefined;
      case "abortWrite":
        this.#writers.get(call.input)?.abort();
        this.#writers.delete(call.input);
        return undefined;
      case "editMeta":
        return archive.editMeta(call.input.place, call.input.edit);
      case "readMeta":
        return archive.readMeta(call.input);
      case "readStatistics":
        return call.input.map((place) => statisticsOf(archive, place));
      case "openData":
        return this.#open(archive, call.input);
      case "nextMetric":
        return await this.#reader(call.input).next();
      case "closeData":
        this.#readers.get(call.input)?.close();
        this.#readers.delete(call.input);
        return undefined;
      case "copyTo":
        return archive.copyTo(
          openJobArchive(call.input.targetRoot, { keepsGroup: true }),
          call.input.place,
        );
      case "remove":
        return archive.remove(call.input);
      case "compress":
        return await compressStep(
          archive.root,
          call.input,
          archive.files,
        );
    }
  }

  #open(
    archive: JobArchive,
    { place, selection }: CallInput<JobArchiveCalls, "openData">,
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
