/**
 * How `-cleanup-checkpoints` asks a server that runs: by a file beside the lock that
 * the server finds, and a file with the answer. Whoever may write there may ask.
 * Several may ask at the same time, each under an id of its own.
 */
import { nowSec } from "../../base/clock.ts";
import type { StoreEngine } from "../../metricstore/engine/metric_engine.ts";
import { errorText, type Log } from "../../base/log.ts";
import {
  answerName,
  cleanUpFileOf,
  requestName,
  storeDirectory,
} from "../../metricstore/persist/filenames.ts";
import { AtomicFile } from "../../metricstore/persist/atomic_file.ts";
import { DENO_FILES } from "../../metricstore/persist/files.ts";

const LOOK_MS = 500;
/** An answer that nobody came for is removed after so long. */
const ANSWER_AGE_SEC = 3600;

/** What became of a clean-up. */
export interface CleanUpAnswer {
  readonly isOk: boolean;
  /** For people: what was done, or why it was not. */
  readonly message: string;
}

/**
 * Runs one clean-up of an engine; never rejects. `before`: the samples archived by
 * then that do not count.
 */
export async function cleanUpEngine(
  engine: StoreEngine,
  before = engine.archive?.rowsTotal ?? 0,
): Promise<CleanUpAnswer> {
  try {
    await engine.cleanUp();
  } catch (error) {
    return { isOk: false, message: errorText(error) };
  }
  const after = engine.archive?.rowsTotal;
  return {
    isOk: true,
    message: after === undefined
      ? "cleaned up"
      : `archived ${after - before} samples`,
  };
}

/** The server's end: looks for requests and answers them, one clean-up for all there are. */
export class CleanUpDesk {
  readonly #directory: string;
  readonly #engine: StoreEngine;
  readonly #log: Pick<Log, "info" | "warn">;
  readonly #timer: ReturnType<typeof setInterval>;
  #isBusy = false;
  #isClosed = false;
  /** So that a directory that cannot be read is told of once. */
  #isFailing = false;

  /** Looks until `close`; what was asked of a process before is done as well. */
  constructor(
    checkpointsDirectory: string,
    engine: StoreEngine,
    log: Pick<Log, "info" | "warn">,
  ) {
    this.#directory = storeDirectory(checkpointsDirectory);
    this.#engine = engine;
    this.#log = log;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** A request under way is left to the command, which finds the lock free then. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#answerAll();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        this.#log.warn("requests for a clean-up cannot be answered", {
          directory: this.#directory,
          error: errorText(error),
        });
      }
      this.#isFailing = true;
    } finally {
      this.#isBusy = false;
    }
  }

  async #answerAll(): Promise<void> {
    const requests: string[] = [];
    for await (const { name } of Deno.readDir(this.#directory)) {
      const found = cleanUpFileOf(name);
      if (found?.isRequest) requests.push(found.id);
      else if (found !== undefined) await this.#removeIfOld(name);
    }
    if (requests.length === 0) return;
    for (const id of requests) {
      removeIfThere(`${this.#directory}/${requestName(id)}`);
    }
    const answer = await cleanUpEngine(this.#engine);
    if (this.#isClosed) return;
    this.#log.info("a clean-up was asked for", { ...answer });
    for (const id of requests) {
      writeFile(this.#directory, answerName(id), JSON.stringify(answer));
    }
  }

  async #removeIfOld(name: string): Promise<void> {
    const path = `${this.#directory}/${name}`;
    const { mtime } = await Deno.lstat(path);
    const ageSec = nowSec() - (mtime?.getTime() ?? 0) / 1000;
    if (ageSec > ANSWER_AGE_SEC) removeIfThere(path);
  }
}

/** The command's end. */
export class CleanUpRequest {
  readonly #directory: string;
  readonly #id = crypto.randomUUID();

  /** Leaves the request. Throws a `StorageError` where that cannot be written. */
  constructor(checkpointsDirectory: string) {
    this.#directory = storeDirectory(checkpointsDirectory);
    writeFile(this.#directory, requestName(this.#id), "");
  }

  /** The answer, once it is there. */
  answer(): CleanUpAnswer | undefined {
    let text: string;
    try {
      text = Deno.readTextFileSync(
        `${this.#directory}/${answerName(this.#id)}`,
      );
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const { isOk, message } = JSON.parse(text);
    return { isOk: isOk === true, message: String(message) };
  }

  /** Takes request and answer away. */
  end(): void {
    for (const name of [requestName(this.#id), answerName(this.#id)]) {
      removeIfThere(`${this.#directory}/${name}`);
    }
  }
}

function writeFile(directory: string, name: string, text: string): void {
  const file = new AtomicFile(DENO_FILES, directory, name);
  try {
    file.write(new TextEncoder().encode(text));
    file.publish();
  } catch (error) {
    file.abort();
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
