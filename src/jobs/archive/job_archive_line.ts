/**
 * The line from the main thread to one worker of the job archive: calls with
 * answers, a bounded number under way. A worker that died, or found no archive to
 * open, fails the calls it was given; the next call starts another one, since
 * directories come back. Main thread only.
 */
import { ClientError } from "../../base/errors.ts";
import { JobArchiveError } from "./archive_error.ts";
import type {
  CallInput,
  CallOutput,
  JobArchiveCall,
  JobArchiveReply,
} from "./job_archive_messages.ts";

/** Calls under way. */
const CALLS_MAX = 256;

export interface JobArchiveClientOptions {
  readonly root: string;
  /** Hold every file read against the published schemas. */
  readonly validate: boolean;
  /** As in `JobArchiveOptions`. */
  readonly keepsGroup?: boolean;
}

export class JobArchiveLine {
  readonly #name: string;
  readonly #options: JobArchiveClientOptions;
  /** Absent until somebody asks for something: it takes some 25 MB. */
  #worker: Worker | undefined;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  /** Nothing is answered any more. */
  #isEnded = false;
  #idle: PromiseWithResolvers<void> | undefined;

  /** `name` is for those who look at threads. */
  constructor(name: string, options: JobArchiveClientOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Starts the thread and opens the archive there; later calls wait for it. */
  open(): Promise<void> {
    const worker = this.#worker = new Worker(
      new URL("../../../workers/jobarchive.ts", import.meta.url),
      { type: "module", name: this.#name },
    );
    worker.onmessage = (event: MessageEvent<JobArchiveReply>) => {
      this.#settle(event.data);
    };
    worker.onerror = (event) => {
      // Else the process would end.
      event.preventDefault();
      this.#fail(
        worker,
        new JobArchiveError(
          `the job archive's thread died: ${event.message}`,
          "",
        ),
      );
    };
    const opened = this.#send(worker, "open", this.#options, []);
    // Without its archive it answers nothing else.
    opened.catch((error) => this.#fail(worker, error));
    return opened;
  }

  /**
   * Asks the worker. Rejects with the `ClientError` the worker met, or `E_OVERLOAD`.
   * The buffers in `transfer` move to the worker.
   */
  call<Call extends JobArchiveCall>(
    call: Call,
    input: CallInput<Call>,
    transfer: ArrayBuffer[] = [],
  ): Promise<CallOutput<Call>> {
    if (this.#isEnded) return Promise.reject(closed());
    if (this.#calls.size >= CALLS_MAX) {
      return Promise.reject(
        new ClientError(
          "E_OVERLOAD",
          `${CALLS_MAX} requests are waiting for the job archive`,
          { retryAfterSec: 1 },
        ),
      );
    }
    // Where it cannot be opened, the call itself is told so.
    if (this.#worker === undefined) this.open().catch(() => {});
    return this.#send(this.#worker!, call, input, transfer);
  }

  #send<Call extends JobArchiveCall>(
    worker: Worker,
    call: Call,
    input: CallInput<Call>,
    transfer: ArrayBuffer[],
  ): Promise<CallOutput<Call>> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(id, answer);
    worker.postMessage({ id, call, input }, transfer);
    // The worker answers each call with the type that the table of calls gives.
    return answer.promise as Promise<CallOutput<Call>>;
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Ends the thread; calls under way are rejected. */
  end(): void {
    this.#isEnded = true;
    this.#fail(this.#worker, closed());
  }

  #settle(reply: JobArchiveReply): void {
    const answer = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if (reply.isOk) answer?.resolve(reply.value);
    else answer?.reject(errorOf(reply));
    if (this.#calls.size === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  /** Ends a worker unless another has taken its place, and with it what it was asked. */
  #fail(worker: Worker | undefined, error: ClientError): void {
    if (this.#worker !== worker) return;
    worker?.terminate();
    this.#worker = undefined;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

function closed(): ClientError {
  return new ClientError("E_NOT_READY", "the job archive is closed");
}

function errorOf(reply: JobArchiveReply & { isOk: false }): ClientError {
  return reply.code === "E_INTERNAL"
    ? new JobArchiveError(reply.message, reply.path)
    : new ClientError(reply.code, reply.message);
}
