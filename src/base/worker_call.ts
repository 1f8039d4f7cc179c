/**
 * Calls from one thread to a worker: numbered calls out, answers back, a bounded
 * number under way. Both ends are here. A worker describes its calls by an interface
 * of methods with one argument. Errors cross as data, since their class would not
 * survive.
 *
 * Grouped calls: those made while the worker is busy go to it in one message when it
 * is done. The busier it is, the less each call costs both sides.
 */
import { ClientError, type ErrorCode } from "./errors.ts";

type CallTable<Calls> = {
  readonly [Name in keyof Calls]: (input: never) => unknown;
};

export type CallInput<Calls, Name extends keyof Calls> = Calls[Name] extends
  (input: infer Input) => unknown ? Input : never;

export type CallOutput<Calls, Name extends keyof Calls> = Calls[Name] extends
  (input: never) => infer Output ? Output : never;

/** One call of any name. */
export type WorkerCall<Calls> = {
  readonly [Name in keyof Calls]: {
    readonly id: number;
    readonly name: Name;
    readonly input: CallInput<Calls, Name>;
  };
}[keyof Calls];

/** Calls in the order in which they were made. */
export interface CallsMessage<Calls> {
  readonly calls: readonly WorkerCall<Calls>[];
}

export type CallAnswer =
  | { readonly id: number; readonly isOk: true; readonly value: unknown }
  | { readonly id: number; readonly isOk: false; readonly error: ErrorData };

/** Answers in any order, or a notice that answers no call. */
export type WorkerMessage =
  | { readonly answers: readonly CallAnswer[] }
  | { readonly notice: string };

export interface ErrorData {
  /** `E_INTERNAL` for an error that is no {@linkcode ClientError}. */
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterSec: number | undefined;
  /** Stack of an error that is no {@linkcode ClientError}; else `""`. */
  readonly stack: string;
  /** File that the error is about; `""` if it names none. */
  readonly path: string;
}

/** Returns an error as data, for another thread. */
export function errorData(error: unknown): ErrorData {
  const isClientError = error instanceof ClientError;
  const isError = error instanceof Error;
  return {
    code: isClientError ? error.code : "E_INTERNAL",
    message: isError ? error.message : String(error),
    retryAfterSec: isClientError ? error.retryAfterSec : undefined,
    stack: isError && !isClientError ? error.stack ?? "" : "",
    path: isError && "path" in error ? String(error.path) : "",
  };
}

/** Returns the {@linkcode ClientError} that the data was made of. */
export function clientErrorOf(
  { code, message, retryAfterSec }: ErrorData,
): ClientError {
  return new ClientError(
    code,
    message,
    retryAfterSec === undefined ? {} : { retryAfterSec },
  );
}

export interface WorkerClientOptions {
  /** Calls under way; one more is refused with `E_OVERLOAD` and this message. */
  readonly callsMax: number;
  readonly overload: string;
  /** Calls made while the worker is busy go to it in one message. */
  readonly isGrouped?: boolean;
  /** Returns the error that a failed call rejects with. */
  readonly errorOf: (data: ErrorData) => Error;
  /**
   * Called once if the worker dies. Returns the error of the calls under way and of
   * all later ones.
   */
  readonly lost: (reason: string) => Error;
  readonly onNotice?: (notice: string) => void;
}

interface WaitingCall<Calls> {
  readonly call: WorkerCall<Calls>;
  readonly transfer: readonly ArrayBuffer[];
}

/** The calling end: owns the worker. */
export class WorkerClient<Calls extends CallTable<Calls>> {
  readonly #worker: Worker;
  readonly #options: WorkerClientOptions;
  /** Calls without an answer, those of `#waiting` too. */
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  /** Calls that are not sent yet. */
  #waiting: WaitingCall<Calls>[] = [];
  #nextId = 0;
  /** The error of all calls once the worker was lost or ended. */
  #failure: Error | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(worker: Worker, options: WorkerClientOptions) {
    this.#worker = worker;
    this.#options = options;
    worker.onmessage = (event: MessageEvent<WorkerMessage>) =>
      this.#receive(event.data);
    worker.onerror = (event) => {
      // Else the process would end without a word.
      event.preventDefault();
      if (this.#failure === undefined) this.end(options.lost(event.message));
    };
  }

  /**
   * Calls the worker. `input` must stay as it is until the answer: it may be sent later.
   * The buffers in `transfer` move to the worker. Rejects with the worker's error, with
   * `E_OVERLOAD`, or if `input` cannot be sent to another thread.
   */
  call<Name extends keyof Calls>(
    name: Name,
    input: CallInput<Calls, Name>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<CallOutput<Calls, Name>> {
    const { callsMax, overload, isGrouped } = this.#options;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#pending.size >= callsMax) {
      return Promise.reject(
        new ClientError("E_OVERLOAD", overload, { retryAfterSec: 1 }),
      );
    }
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    const isBusy = this.#pending.size > 0;
    this.#pending.set(id, answer);
    const call = { id, name, input } as WorkerCall<Calls>;
    this.#waiting.push({ call, transfer });
    if (isGrouped !== true || !isBusy) this.#send();
    // The worker answers with the type that the interface of its calls says.
    return answer.promise as Promise<CallOutput<Calls, Name>>;
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Ends the worker. Calls under way and later ones reject with `error`. */
  end(error: Error): void {
    this.#worker.terminate();
    this.#failure ??= error;
    this.#waiting = [];
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) call.reject(this.#failure);
    this.#noteIdle();
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    try {
      this.#post(waiting);
    } catch (error) {
      // One of the inputs cannot be sent to another thread; the others can.
      if (waiting.length > 1) waiting.forEach((one) => this.#sendAlone(one));
      else this.#refuse(waiting[0]!, error);
    }
  }

  #sendAlone(waiting: WaitingCall<Calls>): void {
    try {
      this.#post([waiting]);
    } catch (error) {
      this.#refuse(waiting, error);
    }
  }

  #post(waiting: readonly WaitingCall<Calls>[]): void {
    const message: CallsMessage<Calls> = {
      calls: waiting.map(({ call }) => call),
    };
    const transfer = waiting.flatMap((one) => one.transfer);
    this.#worker.postMessage(message, transfer);
  }

  #refuse({ call }: WaitingCall<Calls>, error: unknown): void {
    this.#pending.get(call.id)?.reject(error);
    this.#pending.delete(call.id);
    this.#noteIdle();
  }

  #receive(message: WorkerMessage): void {
    if ("notice" in message) return this.#options.onNotice?.(message.notice);
    for (const answer of message.answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.isOk) pending?.resolve(answer.value);
      else pending?.reject(this.#options.errorOf(answer.error));
    }
    if (this.#pending.size === this.#waiting.length) this.#send();
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#pending.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

/** The global scope of a worker, by the messages it takes and sends. */
export interface WorkerScope<Incoming, Outgoing> {
  onmessage: (event: MessageEvent<Incoming>) => void;
  postMessage(message: Outgoing, transfer?: ArrayBuffer[]): void;
  close(): void;
}

/** Returns the global scope; for entry files of workers. */
export function workerScope<Incoming, Outgoing>(): WorkerScope<
  Incoming,
  Outgoing
> {
  return self as unknown as WorkerScope<Incoming, Outgoing>;
}

/**
 * The answering end, for entry files of workers: `answer` returns the value of a call,
 * or a promise of it. `transferOf` names the buffers of a value that move to the caller.
 */
export function serveCalls<Calls extends CallTable<Calls>>(
  answer: (call: WorkerCall<Calls>) => unknown,
  transferOf: (call: WorkerCall<Calls>, value: unknown) => ArrayBuffer[] =
    () => [],
): void {
  const worker = workerScope<CallsMessage<Calls>, WorkerMessage>();
  worker.onmessage = ({ data }) => {
    for (const call of data.calls) void serve(call);
  };
  async function serve(call: WorkerCall<Calls>): Promise<void> {
    const { id } = call;
    try {
      const value = await answer(call);
      worker.postMessage(
        { answers: [{ id, isOk: true, value }] },
        transferOf(call, value),
      );
    } catch (error) {
      const answers = [{ id, isOk: false as const, error: errorData(error) }];
      worker.postMessage({ answers });
    }
  }
}
