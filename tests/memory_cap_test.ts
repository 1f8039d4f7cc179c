/**
 * The promise of `memory-cap`: samples that no codec makes smaller are written
 * until their bare values would fill the cap twice. The process stays within the
 * cap and a constant, gives up the oldest samples, keeps the newest exactly, and
 * then refuses new series but goes on with those there are.
 */
import assert from "node:assert/strict";
import { Random } from "../benches/support/random.ts";
import { printLine } from "../src/app/cli/output.ts";
import { nowSec } from "../src/base/clock.ts";
import { type Ask, readSeries } from "./crash/answers.ts";
import { DurableServer } from "./crash/durable_server.ts";
import { TestClient } from "./support/client.ts";

const CAP_BYTES = 300e6;
/**
 * What the process may have above the cap. The guard counts what the store takes;
 * heaps and requests under way are an estimate in it, measured with requests as
 * large as these.
 */
const ABOVE_CAP_BYTES = 32e6;

const HOSTS = 20;
const THREADS = 200;
const SERIES = HOSTS * THREADS;
/** Seconds of every series in a request. */
const BATCH_SEC = 5;
const CONNECTIONS = 2;
const SECONDS = Math.ceil(2 * CAP_BYTES / 8 / SERIES);
const START_SEC = nowSec() - SECONDS;

const TIME_DIGITS = 10;
/** Bodies whose values differ: a series has no value twice within a page of 64 slots. */
const BODIES = 13;

/** The value of a series at a second, all 53 bits of it random. */
function makeValues(): Float64Array {
  const random = new Random(7);
  return new Float64Array(BODIES * BATCH_SEC * SERIES).map(() =>
    (random.below(1 << 26) * 2 ** 27 + random.below(1 << 27)) / 2 ** 53
  );
}

const VALUES = makeValues();

function valueOf(series: number, second: number): number {
  return VALUES[(second % (BODIES * BATCH_SEC)) * SERIES + series]!;
}

/** A request's body whose times are changed in place. */
class Body {
  readonly bytes: Uint8Array;
  readonly #ends: number[] = [];

  /** `number`: of those that take turns. */
  constructor(number: number) {
    const first = number * BATCH_SEC;
    let text = "";
    for (let second = first; second < first + BATCH_SEC; second++) {
      for (let series = 0; series < SERIES; series++) {
        text += `m,hostname=h${Math.floor(series / THREADS)},type=core,` +
          `type-id=${series % THREADS} value=${valueOf(series, second)} ` +
          `${"0".repeat(TIME_DIGITS)}\n`;
        this.#ends.push(text.length);
      }
    }
    this.bytes = new TextEncoder().encode(text);
  }

  /** Makes it the batch that begins so many seconds after the start. */
  set(first: number): void {
    let line = 0;
    for (let second = first; second < first + BATCH_SEC; second++) {
      const time = new TextEncoder().encode(String(START_SEC + second));
      for (let series = 0; series < SERIES; series++) {
        this.bytes.set(time, this.#ends[line++]! - 1 - TIME_DIGITS);
      }
    }
  }
}

/** Bytes of a field like `VmRSS` of a process' status. */
async function memoryOf(pid: number, field: string): Promise<number> {
  // Read by a child: Deno itself gives /proc only to those who may do everything.
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text);
  assert.ok(match !== null, text);
  return Number(match[1]) * 1024;
}

function ask(series: number, from: number, to: number): Ask {
  return {
    cluster: "c",
    host: `h${Math.floor(series / THREADS)}`,
    metric: "m",
    type: "core",
    ids: [String(series % THREADS)],
    from: START_SEC + from,
    to: START_SEC + to,
  };
}

Deno.test({
  name:
    "a store that is sent twice its memory-cap stays within it, gives up the oldest and keeps the newest",
  ignore: Deno.build.os !== "linux",
  fn: async (t) => {
    await using server = await DurableServer.create();
    const settings = {
      metrics: { m: { frequency: 1, aggregation: null } },
      store: { "memory-cap": CAP_BYTES / 1e9 },
      checkpoints: { "max-wal-size": "64MB" },
    } as const;
    await server.start(settings);
    const { pid } = server.child;
    const idle = await memoryOf(pid, "VmRSS");

    await t.step("all of it is taken", async () => {
      const bodies = Array.from({ length: BODIES }, (_, i) => new Body(i));
      let next = 0;
      const send = async () => {
        const client = new TestClient(server.url);
        while (next < SECONDS) {
          const first = next;
          next += BATCH_SEC;
          const body = bodies[first / BATCH_SEC % BODIES]!;
          body.set(first);
          const answer = await client.send({
            method: "POST",
            path: "/api/write?cluster=c",
            body: body.bytes,
          });
          assert.deepEqual([answer.status, answer.text], [200, ""]);
        }
        client.close();
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, send));
    });

    const within = async () => {
      const peak = await memoryOf(server.child.pid, "VmHWM");
      const above = Math.round((peak - CAP_BYTES) / 1e6);
      printLine(
        `idle ${Math.round(idle / 1e6)} MB, peak ${above} MB above the cap`,
      );
      assert.ok(peak <= CAP_BYTES + ABOVE_CAP_BYTES, `peak ${peak}`);
    };
    await t.step("the process stays within the cap and a constant", within);

    const newest = async () => {
      for (const series of [0, 1, THREADS, SERIES - 1]) {
        const from = SECONDS - 300;
        const seen = await readSeries(server, ask(series, from, SECONDS));
        assert.equal(seen?.from, START_SEC + from);
        assert.deepEqual(
          seen?.data,
          Array.from({ length: 300 }, (_, i) => valueOf(series, from + i)),
        );
      }
    };
    await t.step("the newest samples are exact", newest);

    await t.step("the oldest samples are gone", async () => {
      for (const series of [0, THREADS, SERIES - 1]) {
        const seen = await readSeries(
          server,
          ask(series, 0, Math.floor(SECONDS / 2)),
        );
        assert.deepEqual(seen?.data ?? [], []);
      }
    });

    const refuses = async () => {
      const lines: string[] = [];
      for (let i = 0; i < 20_000; i++) {
        lines.push(
          `m,cluster=c,hostname=n${i % 100},type=core,type-id=${i} ` +
            `value=${i} ${START_SEC + SECONDS}`,
        );
      }
      const answer = await server.client.write(lines.join("\n"));
      assert.equal(answer.status, 429, answer.text);
      assert.match(answer.text, /memory-cap/);
      assert.ok(Number(answer.headers["retry-after"]) > 0);
    };
    await t.step("new series are refused when there is no room", refuses);

    await t.step("the series there are go on", async () => {
      const time = START_SEC + SECONDS + 1;
      const answer = await server.client.write(
        `m,cluster=c,hostname=h0,type=core,type-id=0 value=42 ${time}`,
      );
      assert.deepEqual([answer.status, answer.text], [200, ""]);
      const at = SECONDS + 1;
      const seen = await readSeries(server, ask(0, at, at + 1));
      assert.deepEqual(seen?.data, [42]);
    });

    await t.step("a restart stays within the cap too", async () => {
      await server.kill();
      await server.start(settings);
      await within();
      await newest();
    });
  },
});

Deno.test("a start says that memory-cap is below what the process itself needs", async () => {
  await using server = await DurableServer.create();
  await server.start({
    metrics: { load: { frequency: 1, aggregation: null } },
    store: { "memory-cap": 0.2 },
  });
  assert.match(
    server.child.output,
    /memory-cap leaves no room for samples.*memoryCapGB=0\.2 neededByTheProcessGB=0\.255 workers=2/,
  );
  const time = nowSec();
  const { status, text } = await server.client.write(
    `load,cluster=c,hostname=h value=1 ${time}`,
  );
  assert.equal(status, 429, text);
  assert.match(text, /memory-cap/);
});
