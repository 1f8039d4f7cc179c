/**
 * `publish`: lines from a file or standard input to a NATS subject or to a server,
 * at a rate, with progress on a terminal. A small load tool, and a way to try
 * subscriptions out.
 */
import { jetstream } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { monotonicMs } from "../../base/clock.ts";
import { loadConfig } from "../../config/settings/mod.ts";
import { guardSockets } from "../../nats/socket_guard.ts";
import { connectOptions } from "../../nats/connect_options.ts";
import { type LineGroup, lineGroups } from "../transfer/line_groups.ts";
import type { WriteOutcome } from "../transfer/store_client.ts";
import type { CommandLine } from "./command_line.ts";
import { drawStatus, printLine } from "./output.ts";
import type { PublishLine } from "./publish_flags.ts";
import { connect } from "./server_choice.ts";

/** Below the limit of every broker, and a sensible body. */
const MESSAGE_BYTES_MAX = 512 << 10;
/** Published bytes that may be on their way before the broker is waited for. */
const FLUSH_BYTES = 4 << 20;
const REDRAW_MS = 100;

/** Where lines go. */
interface Target {
  readonly name: string;
  readonly bytesMax: number;
  send(group: LineGroup): Promise<void>;
  /** Resolves when everything has arrived. */
  finish(): Promise<void>;
  /** What became of the lines, where that is told. */
  outcome(): string;
}

/** Throws what ended it, or that lines were refused. */
export async function runPublish(
  line: CommandLine & PublishLine,
): Promise<void> {
  const target = line.target.kind === "nats"
    ? await natsTarget(line.target, line.configFile)
    : await httpTarget(line.target, line.configFile);
  const meter = new Meter(line.rate);
  try {
    const groups = lineGroups(
      inputOf(line.file),
      line.rate === 0 ? line.lines : Math.min(line.lines, line.rate),
      target.bytesMax,
    );
    for await (const group of groups) {
      await target.send(group);
      await meter.count(group);
    }
    await target.finish();
  } finally {
    meter.end();
    printLine(`${meter.summary()} to ${target.name}${target.outcome()}`);
  }
}

function inputOf(file: string | undefined): AsyncIterable<Uint8Array> {
  if (file === undefined) return Deno.stdin.readable;
  return Deno.openSync(file).readable;
}

async function natsTarget(
  target: PublishLine["target"] & { kind: "nats" },
  configFile: string,
): Promise<Target> {
  const { subject, acknowledged } = target;
  const { nats } = loadConfig(configFile).config;
  const address = target.address ?? nats.address;
  if (address === "") {
    throw new Error("the configuration has no nats.address: give --nats");
  }
  guardSockets();
  const connection = await connectNats({
    ...connectOptions({ ...nats, address }),
    name: "ringstore publish",
    reconnect: false,
  });
  const stream = acknowledged ? jetstream(connection) : undefined;
  let unflushed = 0;
  return {
    name: `${subject} at ${connection.getServer()}`,
    bytesMax: Math.min(
      MESSAGE_BYTES_MAX,
      connection.info?.max_payload ?? MESSAGE_BYTES_MAX,
    ),
    async send({ bytes }) {
      if (stream !== undefined) {
        await stream.publish(subject, bytes);
        return;
      }
      connection.publish(subject, bytes);
      unflushed += bytes.length;
      if (unflushed < FLUSH_BYTES) return;
      unflushed = 0;
      await connection.flush();
    },
    async finish() {
      await connection.drain();
    },
    outcome: () => "",
  };
}

async function httpTarget(
  target: PublishLine["target"] & { kind: "http" },
  configFile: string,
): Promise<Target> {
  const token = target.token ?? Deno.env.get("RINGSTORE_TOKEN");
  const client = await connect({ url: target.url, token }, configFile, "api");
  const decoder = new TextDecoder();
  let stored = 0;
  let refused = 0;
  const passed: Record<string, number> = {};
  return {
    name: client.url,
    bytesMax: MESSAGE_BYTES_MAX,
    async send({ bytes, lines }) {
      const outcome = await client.write(
        decoder.decode(bytes),
        lines,
        target.cluster,
      );
      stored += outcome.stored;
      refused += sum(outcome.rejected);
      for (const [reason, count] of Object.entries(outcome.skipped)) {
        passed[reason] = (passed[reason] ?? 0) + count;
      }
    },
    finish() {
      if (refused === 0) return Promise.resolve();
      return Promise.reject(new Error(`${refused} lines refused`));
    },
    outcome: () =>
      [
        `: ${stored} stored`,
        ...Object.entries(passed).map(([reason, n]) => `${n} ${reason}`),
        ...(refused === 0 ? [] : [`${refused} refused`]),
      ].join(", "),
  };
}

function sum(counts: WriteOutcome["rejected"]): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

/** Counts what was sent, holds it to the rate, and shows it. */
class Meter {
  readonly #rate: number;
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #startMs = monotonicMs();
  #drawnMs = -Infinity;
  #lines = 0;
  #messages = 0;
  #bytes = 0;

  /** `rate` in lines a second; 0: none. */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Resolves when more may be sent. */
  async count({ bytes, lines }: LineGroup): Promise<void> {
    this.#lines += lines;
    this.#messages++;
    this.#bytes += bytes.length;
    this.#draw();
    if (this.#rate === 0) return;
    const dueMs = this.#startMs + this.#lines / this.#rate * 1000;
    const waitMs = dueMs - monotonicMs();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  #draw(): void {
    if (!this.#isTerminal) return;
    const nowMs = monotonicMs();
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const megabytes = (this.#bytes / 1e6).toFixed(1);
    drawStatus(`${this.#lines} lines  ${megabytes} MB  ${this.#perSecond()}/s`);
  }

  #perSecond(): number {
    const seconds = (monotonicMs() - this.#startMs) / 1000;
    return Math.round(this.#lines / Math.max(seconds, 0.001));
  }

  /** Takes the display away. */
  end(): void {
    if (this.#isTerminal) drawStatus("");
  }

  summary(): string {
    return `${this.#lines} lines in ${this.#messages} messages, ` +
      `${this.#perSecond()} lines/s,`;
  }
}
