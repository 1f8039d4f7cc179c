import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import {
  HEAD,
  OLDEST,
  OWNER,
  RECORD_SHIFT,
  RUN_NEXT,
  RUN_PAGE_COUNT,
  RUN_PAGES,
} from "../store/layout.ts";
import { isThawed } from "../store/sealed_pages.ts";
import { SERIES_BYTES, type SeriesTable } from "../store/series_table.ts";
import {
  clear,
  entryOf,
  makeRegistry,
  seriesOf,
} from "../catalog/_registry_fixture.ts";
import { MemoryShares, SERIES_NAME_BYTES } from "./memory_shares.ts";

const REGISTRY = makeRegistry({
  fast: { frequencySec: 1, aggregation: null },
});
const RUN_BYTES = 64;

/** What each owner has, found by walking through everything there is. */
function walk(
  table: SeriesTable,
): Map<number, { bytes: number; series: number }> {
  const found = new Map<number, { bytes: number; series: number }>();
  for (let series = 0; series < table.seriesEnd; series++) {
    if (!table.isAlive(series)) continue;
    const at = series << RECORD_SHIFT;
    const owner = table.words[at + OWNER]!;
    const sum = found.get(owner) ?? { bytes: 0, series: 0 };
    found.set(owner, sum);
    sum.series++;
    for (let run = table.words[at + OLDEST]!; run !== 0;) {
      sum.bytes += RUN_BYTES;
      const runAt = run << RECORD_SHIFT;
      for (let page = 0; page < RUN_PAGE_COUNT; page++) {
        const block = table.runWords[runAt + RUN_PAGES + page]!;
        if (isThawed(block)) sum.bytes += 512;
        else if (block !== 0) sum.bytes += table.pages.pool.bytes(block);
      }
      if (run === table.words[at + HEAD]) break;
      run = table.runWords[runAt + RUN_NEXT]!;
    }
  }
  return found;
}

const STEP = fc.record({
  instance: fc.constantFrom("", "a", "b"),
  host: fc.nat(3),
  fromSec: fc.integer({ min: 10_000, max: 20_000 }),
  count: fc.integer({ min: 1, max: 300 }),
  value: fc.double({ noNaN: true }),
  /** Everything of the host before it is freed; 0: nothing is. */
  freedSec: fc.oneof(fc.constant(0), fc.integer({ min: 9000, max: 21_000 })),
  trimmed: fc.boolean(),
  /** Open pages that are looked at whether they can be sealed. */
  looks: fc.nat(20),
});

Deno.test("SeriesTable counts the memory of each owner, whatever is written and freed", () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 25, size: "max" }), (steps) => {
      clear(REGISTRY);
      const { table } = REGISTRY;
      for (const step of steps) {
        const { instance, fromSec, count, value, freedSec } = step;
        const host = `h${step.host}`;
        const series = seriesOf(REGISTRY, entryOf(host, "fast", { instance }));
        for (let i = 0; i < count; i++) {
          table.write(series, fromSec + i, value + i % 7);
        }
        table.pages.sealLeft(step.looks);
        if (freedSec > 0) {
          if (step.trimmed) table.trimBefore(series, freedSec);
          else REGISTRY.freeBefore(series, freedSec);
        }
        const wanted = walk(table);
        for (let owner = 0; owner < REGISTRY.owners.length; owner++) {
          const { bytes = 0, series = 0 } = wanted.get(owner) ?? {};
          assert.equal(table.pages.ownedBytes[owner], bytes);
          assert.equal(table.ownedSeries[owner], series);
        }
      }
    }),
    { numRuns: fuzzRuns(100) },
  );
});

const BUDGET = 1000 * (SERIES_BYTES + SERIES_NAME_BYTES);

/** Shares of a budget where each owner has so many bytes, in thousandths of it. */
function sharesOf(
  ...thousandths: number[]
): { shares: MemoryShares; end: number } {
  const ownedBytes = Float64Array.from(
    thousandths,
    (part) => part / 1000 * BUDGET,
  );
  const ownedSeries = new Int32Array(thousandths.length);
  const table = {
    pages: { ownedBytes },
    ownedSeries,
  } as unknown as SeriesTable;
  const shares = new MemoryShares(table, BUDGET);
  shares.look(thousandths.length);
  return { shares, end: thousandths.length };
}

Deno.test("MemoryShares.inOrderOfLoss() begins with who is above its share", () => {
  const cases: [number[], number[]][] = [
    [[900, 90], [0, 1]],
    [[100, 249], [0, 1]],
    [[100, 251], [1, 0]],
    [[600, 100, 300], [2, 0, 1]],
    [[0, 260, 300], [2, 1, 0]],
    // Together above a half: equal parts.
    [[300, 240, 240, 60], [1, 2, 0, 3]],
  ];
  for (const [bytes, order] of cases) {
    const { shares, end } = sharesOf(...bytes);
    assert.deepEqual(shares.inOrderOfLoss(end), order, bytes.join());
  }
});

Deno.test("MemoryShares.mayGrow() refuses who is above its share first", () => {
  const { shares } = sharesOf(600, 260, 100);
  const may = (used: number, isShort: boolean) =>
    [0, 1, 2].map((owner) => shares.mayGrow(owner, used * BUDGET, isShort));
  assert.deepEqual(may(0.9, false), [true, true, true]);
  assert.deepEqual(may(0.95, true), [true, false, true]);
  assert.deepEqual(may(0.98, true), [false, false, true]);
  assert.deepEqual(may(1, true), [false, false, false]);
});
