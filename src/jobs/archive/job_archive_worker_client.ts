/**
 * The main thread's end of one worker of the job archive: calls with answers, a bounded
 * number under way. A worker that died, or found no archive to open, fails the calls it
 * was given; the next call starts another one, since directories come back. Main thread
 * only.
 */
import { ClientError } from "../../base/errors.ts";
import {
  type CallInput,
  type CallOutput,
  clientErrorOf,
  type ErrorData,
  WorkerClient,
} from "../../base/worker_call.ts";
import { JobArchiveError } from "./archive_error.ts";
import type { JobArchiveCalls } from "./job_archive_calls.ts";

/** Calls under way. */
const CALLS_MAX = 256;

export interface JobArchiveClientOptions {
  readonly root: string;
  /** Hold every file read against the published schemas. */
  readonly validate: boolean;
  /** As in `JobArchiveOptions`. */
  readonly keepsGroup?: boolean;
}

type Client = WorkerClient<JobArchiveCalls>;

export class JobArchiveWorkerClient {
  readonly #name: string;
  readonly #options: JobArchiveClientOptions;
  /** Absent until the first call: a worker takes some 25 MB. */
  #client: Client | undefined;
  #isEnded = false;

  /** `name` is that of the thread in tools that list threads. */
  constructor(name: string, options: JobArchiveClientOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Starts the thread and opens the archive there; later calls wait for it. */
  async open(): Promise<void> {
    await this.#start().opened;
  }

  /**
   * Asks the worker. Rejects with the `ClientError` the worker met, or `E_OVERLOAD`.
   * The buffers in `transfer` move to the worker.
   */
  call<Name extends keyof JobArchiveCalls>(
    name: Name,
    input: CallInput<JobArchiveCalls, Name>,
    transfer: ArrayBuffer[] = [],
  ): Promise<CallOutput<JobArchiveCalls, Name>> {
    if (this.#isEnded) return Promise.reject(closed());
    const client = this.#client ?? this.#start().client;
    return client.call(name, input, transfer);
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    await this.#client?.idle();
  }

  /** Ends the thread; calls under way are rejected. */
  end(): void {
    this.#isEnded = true;
    this.#client?.end(closed());
    this.#client = undefined;
  }

  #start(): { readonly client: Client; readonly opened: Promise<void> } {
    const worker = new Worker(
      new URL("../../../workers/jobarchive.ts", import.meta.url),
      { type: "module", name: this.#name },
    );
    const client: Client = new WorkerClient<JobArchiveCalls>(worker, {
      callsMax: CALLS_MAX,
      overload: `${CALLS_MAX} requests are waiting for the job archive`,
      errorOf,
      lost: (reason) => {
        this.#forget(client);
        return new JobArchiveError(
          `the job archive's thread died: ${reason}`,
          "",
        );
      },
    });
    this.#client = client;
    const opened = client.call("open", this.#options);
    // Without its archive it answers nothing else.
    opened.catch((error) => {
      this.#forget(client);
      client.end(error);
    });
    return { client, opened };
  }

  #forget(client: Client): void {
    if (this.#client === client) this.#client = undefined;
  }
}

function closed(): ClientError {
  return new ClientError("E_NOT_READY", "the job archive is closed");
}

function errorOf(data: ErrorData): ClientError {
  return data.code === "E_INTERNAL"
    ? new JobArchiveError(data.message, data.path)
    : clientErrorOf(data);
}
