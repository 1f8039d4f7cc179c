/**
 * The main thread's end of one database worker: opens the database there, calls its
 * tables, and closes it. Calls made while the worker is busy go to it in one message.
 * Main thread only.
 */
import { ClientError } from "../base/errors.ts";
import {
  clientErrorOf,
  type ErrorData,
  WorkerClient,
} from "../base/worker_call.ts";
import {
  CHANGED,
  type DatabaseAccess,
  type DatabaseCalls,
  type MethodNames,
} from "./database_calls.ts";
import type { DatabaseOptions } from "./database_options.ts";

/** Calls under way; one more is refused with `E_OVERLOAD`. */
export const CALLS_MAX = 1024;

export class DatabaseWorkerClient {
  onChanged: () => void = () => {};
  readonly #calls: WorkerClient<DatabaseCalls>;
  #isOpen = false;
  #closed: Promise<void> | undefined;

  /** `onLost` is called if the worker dies after it has opened the database. */
  constructor(worker: Worker, onLost: (reason: string) => void) {
    this.#calls = new WorkerClient<DatabaseCalls>(worker, {
      callsMax: CALLS_MAX,
      overload: "the database has too much to do",
      isGrouped: true,
      errorOf,
      lost: (reason) => {
        if (!this.#isOpen) {
          return new Error(`the database worker died: ${reason}`);
        }
        onLost(reason);
        return unusable();
      },
      onNotice: (notice) => {
        if (notice === CHANGED) this.onChanged();
      },
    });
  }

  /** Rejects with the reason if the database cannot be opened; the worker is ended then. */
  async open(
    options: DatabaseOptions,
    access: DatabaseAccess,
  ): Promise<MethodNames> {
    const answer = await this.#calls.call("open", { options, access });
    if ("refused" in answer) {
      const error = new Error(answer.refused);
      this.#calls.end(error);
      throw error;
    }
    this.#isOpen = true;
    return answer.methods;
  }

  /**
   * Calls a method of a table. `args` must stay as they are until the answer: they may be
   * sent later. Rejects with the `ClientError` that the table threw, `E_OVERLOAD`, or
   * `E_STORAGE` if the worker is gone.
   */
  call(
    entity: string,
    method: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    if (!this.#isUsable) return Promise.reject(unusable());
    return this.#calls.call("run", { entity, method, args });
  }

  /** Resolves after `onChanged` was called, if another process has changed the database. */
  async look(): Promise<void> {
    if (!this.#isUsable) throw unusable();
    await this.#calls.call("look", undefined);
  }

  /** Resolves when all calls are answered and the database is closed. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#calls.idle();
    // A lost worker has nothing to close.
    await this.#calls.call("close", undefined).catch(() => {});
    this.#calls.end(unusable());
  }

  get #isUsable(): boolean {
    return this.#isOpen && this.#closed === undefined;
  }
}

function errorOf(data: ErrorData): ClientError {
  // The log needs the stack of an error that is a fault of ours.
  return data.stack !== ""
    ? new ClientError("E_INTERNAL", data.stack)
    : clientErrorOf(data);
}

function unusable(): ClientError {
  return new ClientError("E_STORAGE", "the database is not open");
}
