/** What a worker of the job archive does with each request. Worker threads only. */
import { assert } from "../assert.ts";
import { ClientError } from "../errors.ts";
import { pathOf } from "./archive_error.ts";
import type { JobPlace } from "./archive_layout.ts";
import { compressStep } from "./compression.ts";
import { type JobArchive, openJobArchive } from "./job_archive.ts";
import type {
  JobArchiveReply,
  JobArchiveRequest,
  StatisticsOrReason,
} from "./job_archive_messages.ts";

export class JobArchiveDesk {
  #archive: JobArchive | undefined;
  /** Ends when all requests so far are answered. */
  #last: Promise<unknown> = Promise.resolve();

  /** The answer, once all requests before this one have theirs. */
  answer(request: JobArchiveRequest): Promise<JobArchiveReply> {
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
      case "write":
        return await archive.write(request.input.meta, request.input.data);
      case "editMeta":
        return archive.editMeta(request.input.place, request.input.edit);
      case "readMeta":
        return archive.readMeta(request.input);
      case "readStatistics":
        return request.input.map((place) => statisticsOf(archive, place));
      case "readData":
        return archive.readData(request.input);
      case "copyTo":
        return archive.copyTo(
          openJobArchive(request.input.targetRoot),
          request.input.place,
        );
      case "remove":
        return archive.remove(request.input);
      case "compress":
        return await compressStep(archive.root, request.input);
    }
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
