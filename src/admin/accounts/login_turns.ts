/**
 * One password check at a time per network: a check costs a third of a second of a
 * core, and who asks for many leaves room for others. Main thread, bounded.
 */
import { ClientError } from "../../base/errors.ts";

const WAIT_MS = 5000;
/** Attempts of one network that wait. */
const WAITING_MAX = 32;
/** Networks of which something is checked. */
const NETWORKS_MAX = 10_000;

interface Waiting {
  readonly go: () => void;
}

export class LoginTurns {
  readonly #waitMs: number;
  /** Who waits, by the network that something is being checked of. */
  readonly #networks = new Map<string, Waiting[]>();

  constructor(waitMs: number = WAIT_MS) {
    this.#waitMs = waitMs;
  }

  /**
   * Does `work` when no other of the network is being done. Rejects with
   * `E_OVERLOAD` after too long a wait, or where too many wait.
   */
  async run<Result>(
    network: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    await this.#enter(network);
    try {
      return await work();
    } finally {
      this.#leave(network);
    }
  }

  #enter(network: string): Promise<void> | undefined {
    const queue = this.#networks.get(network);
    if (queue === undefined) {
      if (this.#networks.size >= NETWORKS_MAX) throw overload();
      this.#networks.set(network, []);
      return undefined;
    }
    if (queue.length >= WAITING_MAX) throw overload();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      queue.splice(queue.indexOf(waiting), 1);
      reject(overload());
    }, this.#waitMs);
    const waiting: Waiting = {
      go: () => {
        clearTimeout(timer);
        resolve();
      },
    };
    queue.push(waiting);
    return promise;
  }

  #leave(network: string): void {
    const next = this.#networks.get(network)!.shift();
    if (next === undefined) this.#networks.delete(network);
    else next.go();
  }
}

function overload(): ClientError {
  return new ClientError(
    "E_OVERLOAD",
    "too many passwords from there are being checked",
  );
}
