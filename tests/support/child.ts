/**
 * Child processes of tests and benchmarks: started with their output collected,
 * awaited by condition, ended politely first. A child that dies early fails the
 * wait with what it printed.
 */
import { Agent, get } from "node:http";
import { monotonicMs } from "../../src/base/clock.ts";

/** How much of a child's output is kept for the error message. */
const KEPT_OUTPUT_CHARS = 16_384;
/** Between two looks at a condition; not a guess at how long it takes. */
const POLL_MS = 10;
/** A child that has not ended by then after SIGTERM is killed. */
const STOP_MS = 10_000;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Child {
  readonly #process: Deno.ChildProcess;
  readonly #status: Promise<Deno.CommandStatus>;
  readonly #readers: Promise<void>[];
  readonly #name: string;
  #output = "";
  #ended: Deno.CommandStatus | undefined;

  constructor(options: ChildOptions) {
    this.#name = options.command;
    this.#process = new Deno.Command(options.command, {
      args: [...options.args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    }).spawn();
    this.#status = this.#process.status.then((status) => {
      this.#ended = status;
      return status;
    });
    this.#readers = [
      this.#collect(this.#process.stdout),
      this.#collect(this.#process.stderr),
    ];
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it printed so far, both streams; only the end of long output. */
  get output(): string {
    return this.#output;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT_CHARS);
    }
  }

  /**
   * Resolves with the first value other than `undefined` that `look` gives;
   * rejects when the child ends before, or after `limitMs`.
   */
  async until<T>(
    what: string,
    limitMs: number,
    look: () => T | undefined | Promise<T | undefined>,
  ): Promise<T> {
    const deadline = monotonicMs() + limitMs;
    while (true) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.#ended !== undefined) {
        await Promise.all(this.#readers);
        throw new Error(
          `${this.#name} ended with code ${this.#ended.code} before ${what}:\n${this.#output}`,
        );
      }
      if (monotonicMs() > deadline) {
        throw new Error(
          `${this.#name}: no ${what} within ${limitMs} ms:\n${this.#output}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Resolves when a GET of `url` answers with `status`. */
  untilAnswers(url: string, status: number, limitMs: number): Promise<true> {
    return this.until(
      `${status} from ${url}`,
      limitMs,
      async () => (await statusOf(url)) === status || undefined,
    );
  }

  /** Waits for a child that ends on its own. */
  async ended(): Promise<Deno.CommandStatus> {
    const status = await this.#status;
    await Promise.all(this.#readers);
    return status;
  }

  /** Asks it to end, and kills it when it does not. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    if (this.#ended === undefined) this.#process.kill(signal);
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_MS);
    try {
      return await this.ended();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The status of a GET on a connection of its own; `undefined`: nobody there. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const agent = new Agent({ keepAlive: false });
    const req = get(url, { agent }, (res) => {
      res.resume();
      res.on("close", () => resolve(res.statusCode));
    });
    req.on("error", () => resolve(undefined));
  });
}

/** A port nobody listened on a moment ago, for programs that cannot pick one. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    return listener.addr.port;
  } finally {
    listener.close();
  }
}
