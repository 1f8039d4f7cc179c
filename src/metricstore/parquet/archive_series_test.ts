import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import type { EngineOptions } from "../engine/metric_engine.ts";
import { ArchiveRows } from "../shard/archive_rows.ts";
import { type SeriesName, SeriesRegistry } from "../catalog/series_registry.ts";
import type { SeriesRows } from "./parquet_rows.ts";
import { ArchiveBounds } from "../shard/archive_bounds.ts";
import { readSeries } from "./archive_series.ts";

const FREQUENCY_SEC = 10;
const OPTIONS = {
  metrics: {
    defaults: { m: { frequencySec: FREQUENCY_SEC, aggregation: null } },
    clusters: {},
  },
  maxSeries: 0,
  maxHosts: 0,
} as unknown as EngineOptions;
/** Whole slots: the nominal time of a slot is then that of its sample. */
const BASE_SEC = 1_000_000;
/** One for all runs: its memory is large. */
const REGISTRY = new SeriesRegistry(
  OPTIONS,
  new Int32Array(new SharedArrayBuffer(64)),
);

function seriesOf(
  host: string,
  level?: SeriesName["level"],
  sublevel?: SeriesName["sublevel"],
): number {
  const metric = REGISTRY.catalog.of("c").get("m")!;
  const name = { instance: "", cluster: "c", host, level, sublevel, metric };
  const series = REGISTRY.resolve(name);
  assert.ok(typeof series === "number");
  return series;
}

function end(series: number): void {
  REGISTRY.freeBefore(series, Infinity);
  REGISTRY.recycleEnded();
}

/** All that a shard sends of a host for [fromSec, toSec). */
function archived(host: string, fromSec: number, toSec: number) {
  const pieces: Uint8Array[] = [];
  const outbox = {
    chunk: (_: number, bytes: Uint8Array) => void pieces.push(bytes.slice()),
  };
  const rows = new ArchiveRows(REGISTRY, outbox, new ArchiveBounds(0, 0));
  const place = { instance: "", cluster: "c", host, fromSec, toSec };
  let answers = 0;
  for (let last = -1;;) {
    const ask = { kind: "archive-rows", ...place, afterSeries: last } as const;
    const reply = rows.answer(1, ask);
    assert.ok(reply.kind === "archive-rows");
    last = reply.last;
    answers++;
    if (last < 0) break;
  }
  const series: SeriesRows[] = readSeries(
    Buffer.concat(pieces),
    fromSec,
    toSec,
  );
  return { answers, series };
}

const writesArbitrary = fc.array(
  fc.record({
    // Gaps beyond a run, overwritten slots, and late samples before all others.
    slot: fc.oneof(fc.nat(200), fc.nat(3000)),
    count: fc.integer({ min: 1, max: 150 }),
    value: fc.double({ noNaN: true }),
  }),
  { minLength: 1, maxLength: 12 },
);

Deno.test("ArchiveRows.answer() and readSeries() give every slot to one range, bit for bit", () => {
  fc.assert(
    fc.property(
      writesArbitrary,
      fc.uniqueArray(fc.integer({ min: -50, max: 32_000 }), { maxLength: 4 }),
      (writes, cuts) => {
        const series = seriesOf("h");
        const expected = new Map<number, number>();
        for (const { slot, count, value } of writes) {
          for (let i = 0; i < count; i++) {
            const time = BASE_SEC + (slot + i) * FREQUENCY_SEC;
            REGISTRY.table.write(series, time, value + i);
            expected.set(time, value + i);
          }
        }
        const limits = [-Infinity, ...cuts.sort((a, b) => a - b), Infinity];
        const found = new Map<number, number>();
        for (let i = 1; i < limits.length; i++) {
          const range = [BASE_SEC + limits[i - 1]!, BASE_SEC + limits[i]!];
          const [one, ...others] = archived("h", range[0]!, range[1]!).series;
          assert.equal(others.length, 0);
          let before = range[0]! - 1;
          Array.from(one?.timesSec ?? []).forEach((time, at) => {
            assert.ok(time > before && time < range[1]!);
            before = time;
            found.set(time, one!.values[at]!);
          });
        }
        end(series);
        assert.deepEqual(
          new Map([...found].sort(([a], [b]) => a - b)),
          new Map([...expected].sort(([a], [b]) => a - b)),
        );
      },
    ),
    { numRuns: fuzzRuns(100) },
  );
});

Deno.test("readSeries() names levels as upstream's archive does", () => {
  const all = [
    seriesOf("h"),
    seriesOf("h", { type: "cpu", id: "7" }),
    seriesOf("h", { type: "", id: "core3" }),
    seriesOf("h", { type: "socket", id: "1" }, { type: "fs", id: "home" }),
  ];
  all.forEach((series) => REGISTRY.table.write(series, BASE_SEC, 0.5));
  const { series } = archived("h", 0, Infinity);
  assert.deepEqual(
    series.map(({ scope, scopeId, parent }) => [scope, scopeId, parent]),
    [
      ["node", "", undefined],
      ["hwthread", "7", undefined],
      ["core", "3", undefined],
      ["fs", "home", { scope: "socket", scopeId: "1" }],
    ],
  );
  assert.deepEqual(series[0]?.frequencySec, FREQUENCY_SEC);
  all.forEach(end);
});

Deno.test("ArchiveRows.answer() sends a large host in several answers", () => {
  const all: number[] = [];
  for (let id = 0; id < 300; id++) {
    const series = seriesOf("h", { type: "hwthread", id: String(id) });
    all.push(series);
    for (let slot = 0; slot < 1000; slot++) {
      // Values that no code makes shorter.
      const value = Math.sin(id * 1000 + slot);
      REGISTRY.table.write(series, BASE_SEC + slot * FREQUENCY_SEC, value);
    }
  }
  const { answers, series } = archived("h", 0, Infinity);
  assert.ok(answers > 1);
  assert.equal(series.length, 300);
  assert.ok(series.every(({ values }) => values.length === 1000));
  all.forEach(end);
});
