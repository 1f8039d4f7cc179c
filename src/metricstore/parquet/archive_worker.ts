/**
 * The main thread's end of the line to the archive's worker. Parquet and zstd take
 * long, and the main thread serves HTTP meanwhile. Main thread only.
 */
import type { ArchiveAnswer, ArchiveRequest } from "./archive_messages.ts";

/** The archive cannot be written; samples stay where they are. */
export class ArchiveError extends Error {
  /** File or directory; empty where it is neither. */
  readonly path: string;

  constructor(message: string, path = "") {
    super(message);
    this.name = "ArchiveError";
    this.path = path;
  }
}

export class ArchiveWorker {
  readonly #worker: Worker;
  #waiting: PromiseWithResolvers<number> | undefined;
  /** Why it does not answer any more. */
  #failure: ArchiveError | undefined;

  constructor() {
    const worker = this.#worker = new Worker(
      new URL("../../../workers/archive.ts", import.meta.url),
      { type: "module", name: "archive" },
    );
    worker.onmessage = (event: MessageEvent<ArchiveAnswer>) => {
      const answer = event.data;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (answer.isOk) waiting?.resolve(answer.value);
      else waiting?.reject(new ArchiveError(answer.message, answer.path));
    };
    worker.onerror = (event) => {
      // Else the process would end.
      event.preventDefault();
      this.#fail(new ArchiveError(`the worker died: ${event.message}`));
    };
  }

  /** Resolves with the number the request asks for; rejects with an {@linkcode ArchiveError}. */
  send(request: ArchiveRequest): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const waiting = this.#waiting = Promise.withResolvers<number>();
    this.#worker.postMessage(
      request,
      request.kind === "series" ? request.pieces.map((one) => one.buffer) : [],
    );
    return waiting.promise;
  }

  /** Ends the thread at once; a file that is not in place never will be. */
  end(): void {
    this.#worker.terminate();
    this.#fail(new ArchiveError("the archive's worker was ended"));
  }

  #fail(error: ArchiveError): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }
}
