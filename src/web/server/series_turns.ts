/**
 * Turns of those who ask for series: a few answers are made at a time, two of a login
 * and four in all, so that people never slow down machines (web 6). Main thread.
 */
import { ClientError } from "../../base/errors.ts";

const OF_LOGIN_MAX = 2;
const AT_ONCE_MAX = 4;
const WAIT_MS = 10_000;
/** Requests that wait; one more is refused at once. */
const WAITING_MAX = 256;
const RETRY_AFTER_SEC = 5;

interface Waiter {
  readonly login: string;
  begin(): void;
}

export class SeriesTurns {
  readonly #waitMs: number;
  readonly #running = new Map<string, number>();
  readonly #waiting = new Set<Waiter>();
  #count = 0;

  constructor(waitMs: number = WAIT_MS) {
    this.#waitMs = waitMs;
  }

  /** The result of `work`, when it is its turn. Rejects with `E_OVERLOAD` before that. */
  async run<Result>(
    login: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (!this.#mayBegin(login)) await this.#wait(login);
    else this.#begin(login);
    try {
      return await work();
    } finally {
      this.#end(login);
    }
  }

  #mayBegin(login: string): boolean {
    return this.#count < AT_ONCE_MAX &&
      (this.#running.get(login) ?? 0) < OF_LOGIN_MAX;
  }

  #begin(login: string): void {
    this.#count++;
    this.#running.set(login, (this.#running.get(login) ?? 0) + 1);
  }

  #end(login: string): void {
    this.#count--;
    const left = (this.#running.get(login) ?? 1) - 1;
    if (left === 0) this.#running.delete(login);
    else this.#running.set(login, left);
    for (const waiter of this.#waiting) {
      if (!this.#mayBegin(waiter.login)) continue;
      this.#waiting.delete(waiter);
      this.#begin(waiter.login);
      waiter.begin();
    }
  }

  #wait(login: string): Promise<void> {
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(overload());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        login,
        begin() {
          clearTimeout(late);
          resolve();
        },
      };
      const late = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(overload());
      }, this.#waitMs);
      this.#waiting.add(waiter);
    });
  }
}

function overload(): ClientError {
  return new ClientError(
    "E_OVERLOAD",
    `series: ${OF_LOGIN_MAX} answers of a login and ${AT_ONCE_MAX} in all are made at a time`,
    { retryAfterSec: RETRY_AFTER_SEC },
  );
}
