/**
 * The fast path of ingest against the full grammar: any bytes must be counted and
 * stored alike whether keys are remembered or every line is read in full, and
 * however the body is cut into parts.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_LINE_ERRORS } from "../engine/metric_engine.ts";
import { SeriesRegistry } from "../catalog/series_registry.ts";
import { findStart, readPoints } from "../store/series_read.ts";
import type { Level } from "../catalog/level_tree.ts";
import { BatchTally } from "./batch_tally.ts";
import { KeyTable } from "./key_table.ts";
import { LineIngest } from "./line_ingest.ts";
import { type Context, SlowLines } from "./slow_line.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

const NOW = 1_725_620_476;
const WINDOW = { retentionSec: 48 * 3600, maxFutureSec: 3600 };
/** What the loop may read behind the end. */
const GUARD_BYTES = 64;

class Shard {
  readonly tally = new BatchTally();
  readonly #registry: SeriesRegistry;
  readonly #ingest: LineIngest;
  readonly #context: Context;
  #line = 1;

  constructor(keepsKeys: boolean) {
    this.#context = {
      id: keepsKeys ? 0 : -2,
      instance: "",
      defaultCluster: "D",
      clusters: undefined,
      maxSeries: 0,
      encoded: new Uint8Array(),
    };
    this.#registry = new SeriesRegistry({
      shards: 1,
      metrics: {
        defaults: {
          m10: { frequencySec: 10, aggregation: "sum" },
          m60: { frequencySec: 60, aggregation: "avg" },
        },
        clusters: {},
      },
      maxSeries: 0,
      maxHosts: 0,
      maxNameBytes: 256,
      maxQuerySamples: 0,
      missingIdPlaceholder: true,
      persistence: undefined,
      memoryCapBytes: 0,
      ...WINDOW,
    }, new Int32Array(new SharedArrayBuffer(64)));
    const keys = new KeyTable(1 << 12);
    const slow = new SlowLines(this.#registry, keys, {
      shard: 0,
      shards: 1,
      maxNameBytes: 256,
      ...WINDOW,
    });
    this.#ingest = new LineIngest(
      keys,
      slow,
      this.#registry.table,
      WINDOW.maxFutureSec,
    );
  }

  /** Hands over a body cut into parts that end at `cuts`, what is left over in front of the next. */
  send(body: Uint8Array, cuts: readonly number[]): void {
    const batch = {
      context: this.#context,
      tally: this.tally,
      nowSec: NOW,
      oldestSec: NOW - WINDOW.retentionSec,
      wasApplied: undefined,
      numbers: undefined,
      strictLine: 0,
      mayBeGivenUp: false,
      isGivenUp: false,
      line: this.#line,
    };
    let start = 0;
    for (const cut of [...cuts, body.length]) {
      const isFinal = cut === body.length;
      const bytes = new Uint8Array(cut + GUARD_BYTES);
      bytes.set(body.subarray(0, cut));
      start = this.#ingest.ingest(
        bytes,
        new DataView(bytes.buffer),
        start,
        cut,
        isFinal,
        batch,
        () => assert.fail("forwarded although there is one shard"),
      );
      assert.ok(start <= cut);
      if (isFinal) assert.equal(start, cut);
    }
    this.#line = batch.line;
  }

  /** All counts and all samples. */
  state(): unknown {
    const { lines, stored, rejected, skipped, errors } = this.tally;
    const samples: [string, number, number[]][] = [];
    const { tree } = this.#registry;
    for (const cluster of tree.clusters("").keys()) {
      for (const host of tree.hosts("", cluster).values()) {
        this.#collect(cluster, host, samples);
      }
    }
    return {
      line: this.#line,
      lines,
      stored,
      rejected,
      skipped,
      errors,
      samples,
    };
  }

  #collect(
    path: string,
    level: Level,
    samples: [string, number, number[]][],
  ): void {
    const { table } = this.#registry;
    for (const [metric, series] of level.series) {
      const begin = { fromSec: 0, run: 0 };
      findStart(table, series, 0, -Infinity, begin);
      const out = new Float64Array(30_000);
      const to = NOW + 7200;
      const count = readPoints(
        table,
        series,
        begin.run,
        begin.fromSec,
        to,
        out,
      );
      samples.push([
        `${path}/${level.name} ${metric}`,
        begin.fromSec,
        [...out.subarray(0, count)],
      ]);
    }
    for (const child of level.children?.values() ?? []) {
      this.#collect(`${path}/${level.name}`, child, samples);
    }
  }
}

const pick = (...texts: string[]) => fc.constantFrom(...texts);
const key = fc.tuple(
  pick("m10", "m60", "m60", "other", "m\\ 1"),
  pick(
    ",cluster=A,hostname=h1",
    ",hostname=h1",
    ",hostname=h1",
    ",hostname=h1\\ value=3",
    ",host=h2,type=core,type-id=1",
    ",hostname=h2,type=co,type-id=re1",
    ",hostname=h1,type=node,type-id=0",
    ",hostname=h1,type=core,type-id=1,stype=fs,stype-id=/x\\ y",
    ",cluster=A",
    "",
  ),
).map((parts) => parts.join(""));
const value = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.integer({ min: -9999, max: 99999 }).map((n) =>
      String(n / 100)
    ),
  },
  pick("5", "5.", ".5", "-0.25", "1e3", "4i", "12345678901.25", "0.1234567891"),
  pick("true", '"text"', '"a\nb"', '"', "+5", "NaN", "", "1e400", "1 2", "--1"),
);
const time = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: -4, max: 4 }).map((t) => ` ${NOW + 30 * t}`),
  },
  fc.integer({ min: NOW - 3000, max: NOW + 600 }).map((t) => ` ${t}`),
  pick("", " ", "  1725620400", " 1725620400000", " 1725620400000000000 "),
  pick(" 1", " 1000000000", " 2000000000", " 99999999999", " abc", " 1 2"),
  pick(" 172562047x", " 1725620476.5"),
);
const line = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(
      key,
      fc.oneof(
        { weight: 12, arbitrary: fc.constant(" value=") },
        pick("  value=", " event=", " x=1,value="),
      ),
      value,
      fc.oneof(
        { weight: 9, arbitrary: fc.constant("") },
        pick(",x=1", ",value=7"),
      ),
      time,
    ).map((parts) => parts.join("")),
  },
  pick(
    "",
    "# comment",
    "   ",
    "m60",
    "m60,hostname=h1",
    ",",
    "m60,a=b\tc value=1",
  ),
);
const body = fc.tuple(
  fc.array(fc.tuple(line, pick("\n", "\n", "\n", "\r\n")), {
    maxLength: 20,
    size: "max",
  }),
  line,
  fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 0, max: 255 })), {
    maxLength: 2,
  }),
).map(([lines, last, mutations]) => {
  const text = lines.map((parts) => parts.join("")).join("") + last;
  const bytes = new TextEncoder().encode(text);
  for (const [at, byte] of mutations) {
    if (at < bytes.length) bytes[at] = byte;
  }
  return bytes;
});

Deno.test("LineIngest.ingest() stores alike with and without remembered keys, cut anywhere", () => {
  fc.assert(
    fc.property(
      body,
      fc.array(fc.nat(1000), { maxLength: 5 }),
      (bytes, marks) => {
        const cuts = marks.filter((cut) => cut < bytes.length)
          .sort((a, b) => a - b);
        const fast = new Shard(true);
        const plain = new Shard(false);
        // The second time all keys are known, and the third all are predicted.
        for (let round = 0; round < 3; round++) {
          fast.send(bytes, round === 1 ? cuts : []);
          plain.send(bytes, []);
          assert.deepEqual(fast.state(), plain.state());
        }
        assert.ok(fast.tally.errors.length <= MAX_LINE_ERRORS);
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});
