/**
 * The main thread's end of the job archive. Two threads serve it: one writes, in the
 * order of the calls, and does the long services; one reads, so that readers of
 * archived jobs do not wait behind them. It decides nothing.
 *
 * Bounded: writes wait for room, since each brings the metrics of a job. Further
 * writes, and reads beyond their bound, are refused with `E_OVERLOAD`.
 */
import { ClientError } from "../../base/errors.ts";
import type { NamedMetric } from "../data/job_data.ts";
import type { JobPlace } from "./archive_layout.ts";
import type { WalkCursor } from "./archive_walk.ts";
import { buffersOf } from "./data_buffers.ts";
import type { DataSelection } from "./data_file.ts";
import type { StatisticsOrReason } from "./job_archive_calls.ts";
import {
  type JobArchiveClientOptions,
  JobArchiveWorkerClient,
} from "./job_archive_worker_client.ts";
import type { JobMeta, MetaEdit } from "./job_meta.ts";

/** Jobs whose metrics are held at a time, waiting to be written. */
const WRITES_MAX = 4;
/** Writes that wait for room among those. */
const WAITING_MAX = 128;
/** Jobs whose statistics are read at a time. */
const STATISTICS_JOBS = 500;
/** Directories looked at between two chances to write. */
const COMPRESS_DIRECTORIES = 200;

export class JobArchiveClient {
  readonly #writer: JobArchiveWorkerClient;
  readonly #reader: JobArchiveWorkerClient;
  #writes = 0;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  /** Those that have room. */
  readonly #writing = new Set<Promise<void>>();

  /** The threads start when they are needed, and find an archive there then. */
  constructor(options: JobArchiveClientOptions) {
    this.#writer = new JobArchiveWorkerClient("jobarchive-writer", options);
    this.#reader = new JobArchiveWorkerClient("jobarchive-reader", options);
  }

  /** Starts the threads and makes the archive if there is none yet. */
  static async open(
    options: JobArchiveClientOptions,
  ): Promise<JobArchiveClient> {
    const client = new JobArchiveClient(options);
    try {
      // The writer first: it may have to make the archive.
      await client.#writer.open();
      await client.#reader.open();
    } catch (error) {
      client.end();
      throw error;
    }
    return client;
  }

  /**
   * Archives a job. `metrics` come in the order of their names and are given away:
   * their arrays are empty afterwards. `meta` is asked for when all are through. Waits
   * for room first, so awaiting it holds back a caller that archives too fast.
   */
  async write(
    place: JobPlace,
    metrics: AsyncIterable<NamedMetric> | Iterable<NamedMetric>,
    meta: () => JobMeta,
  ): Promise<void> {
    // A waiting write gets the place of one that is done.
    if (this.#writes >= WRITES_MAX) await this.#room();
    else this.#writes++;
    const writing = this.#write(place, metrics, meta);
    this.#writing.add(writing);
    try {
      await writing;
    } finally {
      this.#writing.delete(writing);
      const next = this.#waiting.shift();
      if (next !== undefined) next.resolve();
      else this.#writes--;
    }
  }

  async #write(
    { cluster, jobId, startTime }: JobPlace,
    metrics: AsyncIterable<NamedMetric> | Iterable<NamedMetric>,
    meta: () => JobMeta,
  ): Promise<void> {
    const place = { cluster, jobId, startTime };
    const number = await this.#writer.call("beginWrite", place);
    try {
      for await (const metric of metrics) {
        const buffers = buffersOf(metric.scopes);
        await this.#writer.call("addMetric", { number, metric }, buffers);
      }
      await this.#writer.call("finishWrite", { number, meta: meta() });
    } catch (error) {
      // The first error is told; a lost worker has nothing to give up.
      await this.#writer.call("abortWrite", number).catch(() => {});
      throw error;
    }
  }

  /** Edits the meta file. Resolves to false if the archive does not have the job. */
  editMeta(place: JobPlace, edit: MetaEdit): Promise<boolean> {
    return this.#writer.call("editMeta", { place, edit });
  }

  /** `E_NOT_FOUND`: the job is not in the archive. */
  readMeta(place: JobPlace): Promise<JobMeta> {
    return this.#reader.call("readMeta", place);
  }

  /** In the order of the places; for a job whose file is bad, the reason. */
  async readStatistics(
    places: readonly JobPlace[],
  ): Promise<StatisticsOrReason[]> {
    const found: StatisticsOrReason[] = [];
    for (let from = 0; from < places.length; from += STATISTICS_JOBS) {
      const some = places.slice(from, from + STATISTICS_JOBS);
      found.push(...await this.#reader.call("readStatistics", some));
    }
    return found;
  }

  /**
   * The selected metrics of a job, one at a time, in the order of their names.
   * `E_NOT_FOUND`, before the first: the job has no metrics in the archive.
   */
  async *readMetrics(
    { cluster, jobId, startTime }: JobPlace,
    selection: DataSelection,
  ): AsyncGenerator<NamedMetric, void> {
    const place = { cluster, jobId, startTime };
    const number = await this.#reader.call("openData", { place, selection });
    try {
      for (;;) {
        const metric = await this.#reader.call("nextMetric", number);
        if (metric === undefined) return;
        yield metric;
      }
    } finally {
      // A thread that is gone has closed it.
      await this.#reader.call("closeData", number).catch(() => {});
    }
  }

  /** Copies the job's files. Resolves to false if the archive does not have the job. */
  copyTo(targetRoot: string, place: JobPlace): Promise<boolean> {
    return this.#writer.call("copyTo", { targetRoot, place });
  }

  /** Removes the job's files. Resolves to false if the archive did not have the job. */
  remove(place: JobPlace): Promise<boolean> {
    return this.#writer.call("remove", place);
  }

  /**
   * Compresses what was left plain of jobs that started before, and removes files
   * that were never finished, letting others write in between.
   */
  async compress(
    beforeSec: number,
  ): Promise<{ readonly compressed: number; readonly removed: number }> {
    const sum = { compressed: 0, removed: 0 };
    let after: WalkCursor | undefined;
    do {
      const step = await this.#writer.call("compress", {
        beforeSec,
        after,
        directoriesMax: COMPRESS_DIRECTORIES,
      });
      sum.compressed += step.compressed;
      sum.removed += step.removed;
      after = step.after;
    } while (after !== undefined);
    return sum;
  }

  /** Ends the threads when what was asked of them so far is done. */
  async close(): Promise<void> {
    while (this.#writes > 0) await Promise.allSettled([...this.#writing]);
    await this.#writer.idle();
    this.end();
  }

  /** Ends the threads at once; every file stays whole. */
  end(): void {
    this.#writer.end();
    this.#reader.end();
    for (const waiting of this.#waiting.splice(0)) waiting.resolve();
  }

  #room(): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new ClientError(
        "E_OVERLOAD",
        `${WAITING_MAX} jobs are waiting to be archived`,
        { retryAfterSec: 1 },
      );
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    return turn.promise;
  }
}
