/**
 * The wire to the database worker: numbered calls out, answers back, and what
 * happens when the worker dies. Main thread only.
 *
 * Calls made while the worker is busy go to it in one message when it is done: the
 * busier it is, the less each call costs both sides.
 */
import { ClientError } from "../base/errors.ts";
import type {
  CallAnswer,
  DatabaseAccess,
  DatabaseAnswer,
  DatabaseQuestion,
  DatabaseRequest,
  MethodNames,
} from "./database_messages.ts";
import type { DatabaseOptions } from "./database_options.ts";

/** Calls under way; one more is refused with `E_OVERLOAD`. */
export const CALLS_MAX = 1024;

type Pending = PromiseWithResolvers<unknown>;

export class DatabaseLine {
  onChanged: () => void = () => {};
  readonly #worker: Worker;
  readonly #onLost: (reason: string) => void;
  /** Asked and not answered, those of `#waiting` too. */
  readonly #pending = new Map<number, Pending>();
  /** Not sent yet. */
  #waiting: DatabaseQuestion[] = [];
  readonly #opened = Promise.withResolvers<MethodNames>();
  readonly #closed = Promise.withResolvers<void>();
  #nextId = 0;
  #state: "opening" | "open" | "closing" | "lost" = "opening";

  /** `onLost` is called if the worker dies after it has opened the database. */
  constructor(worker: Worker, onLost: (reason: string) => void) {
    this.#onLost = onLost;
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<DatabaseAnswer>) =>
      this.#receive(event.data);
    worker.onerror = (event) => {
      // Else the process would end without a word.
      event.preventDefault();
      this.#lose(event.message);
    };
  }

  open(
    options: DatabaseOptions,
    access: DatabaseAccess,
  ): Promise<MethodNames> {
    this.#post({ kind: "open", options, access });
    return this.#opened.promise;
  }

  /** `args` must stay as they are until the answer: they may be sent later. */
  call(
    entity: string,
    method: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    return this.#ask((id) => ({ kind: "call", id, entity, method, args }));
  }

  /** Resolves after `onChanged` was called, if there is reason to. */
  async look(): Promise<void> {
    await this.#ask((id) => ({ kind: "look", id }));
  }

  async #ask(question: (id: number) => DatabaseQuestion): Promise<unknown> {
    if (this.#state !== "open") throw unusable();
    if (this.#pending.size >= CALLS_MAX) {
      throw new ClientError("E_OVERLOAD", "the database has too much to do", {
        retryAfterSec: 1,
      });
    }
    const id = this.#nextId++;
    const pending = Promise.withResolvers<unknown>();
    const isIdle = this.#pending.size === 0;
    this.#pending.set(id, pending);
    this.#waiting.push(question(id));
    if (isIdle) this.#send();
    return await pending.promise;
  }

  #send(): void {
    const questions = this.#waiting;
    this.#waiting = [];
    if (questions.length === 0) return;
    try {
      this.#post({ kind: "ask", questions });
    } catch {
      // Something in it cannot be sent to another thread; the others can.
      for (const question of questions) this.#sendAlone(question);
    }
  }

  #sendAlone(question: DatabaseQuestion): void {
    try {
      this.#post({ kind: "ask", questions: [question] });
    } catch (error) {
      this.#pending.get(question.id)?.reject(error);
      this.#pending.delete(question.id);
    }
  }

  close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#send();
      this.#post({ kind: "close" });
    }
    return this.#closed.promise;
  }

  #receive(answer: DatabaseAnswer): void {
    switch (answer.kind) {
      case "opened":
        this.#state = "open";
        return this.#opened.resolve(answer.methods);
      case "refused":
        this.#worker.terminate();
        return this.#opened.reject(new Error(answer.message));
      case "changed":
        return this.onChanged();
      case "closed":
        this.#worker.terminate();
        return this.#closed.resolve();
      case "answers":
        for (const one of answer.answers) this.#settle(one);
        if (this.#pending.size === this.#waiting.length) this.#send();
    }
  }

  #settle(answer: CallAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.kind === "value") return pending?.resolve(answer.value);
    const { code, message, retryAfterSec } = answer;
    pending?.reject(
      new ClientError(
        code,
        message,
        retryAfterSec === undefined ? {} : { retryAfterSec },
      ),
    );
  }

  #lose(reason: string): void {
    const wasOpening = this.#state === "opening";
    this.#state = "lost";
    this.#worker.terminate();
    this.#opened.reject(new Error(`the database worker died: ${reason}`));
    for (const pending of this.#pending.values()) pending.reject(unusable());
    this.#pending.clear();
    this.#waiting = [];
    this.#closed.resolve();
    if (!wasOpening) this.#onLost(reason);
  }

  #post(request: DatabaseRequest): void {
    this.#worker.postMessage(request);
  }
}

function unusable(): ClientError {
  return new ClientError("E_STORAGE", "the database is not open");
}
