/**
 * Random tables through the sections of a snapshot and back: every run, page and
 * value is the same, and the copy goes on as the original does. With slots of one
 * second a plain map from second to value says what must be read.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import type { SeriesEntry } from "../persist/series_dictionary.ts";
import {
  HEAD,
  LENGTH,
  NEXT_SLOT,
  OLDEST,
  PAGE_SHIFT,
  RECORD_SHIFT,
  RUN_FIRST,
  RUN_NEXT,
  RUN_PAGE_COUNT,
  RUN_PAGES,
  RUN_PREV,
} from "../store/layout.ts";
import {
  clear,
  entryOf,
  makeRegistry,
  read,
  seriesOf,
} from "../catalog/_registry_fixture.ts";
import { restoreSeries, SeriesSections } from "./series_state.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";

const METRICS = {
  second: { frequencySec: 1, aggregation: null },
  minute: { frequencySec: 60, aggregation: null },
};
const SOURCE = makeRegistry(METRICS);
const TARGET = makeRegistry(METRICS);
const OTHER_FREQUENCY = makeRegistry({
  second: { frequencySec: 5, aggregation: null },
  minute: { frequencySec: 7, aggregation: null },
});

const ENTRIES: SeriesEntry[] = [
  entryOf("a", "second"),
  entryOf("a", "minute", { frequencySec: 60 }),
  entryOf("b", "second", { type: "core", typeId: "3" }),
  entryOf("b", "minute", {
    instance: "t",
    frequencySec: 60,
    type: "core",
    typeId: "3",
    subtype: "fs",
    subtypeId: "/ü",
  }),
];
const BEGIN_SEC = 1_000_000;

/** Sections as they are on disk. */
function save(registry: SeriesRegistry): Uint8Array[] {
  const sections = new SeriesSections(registry);
  const payloads: Uint8Array[] = [];
  for (;;) {
    const payload = sections.next();
    if (payload === undefined) return payloads;
    payloads.push(payload.slice());
  }
}

function restore(
  registry: SeriesRegistry,
  payloads: readonly Uint8Array[],
  wanted = (_entry: SeriesEntry) => true,
  horizonSec = -Infinity,
) {
  const counts = { samples: 0, unknownMetric: 0, tooOld: 0, refused: 0 };
  for (const payload of payloads) {
    restoreSeries(registry, payload, wanted, horizonSec, counts);
  }
  return counts;
}

/** The runs of a series, with every word that readers and writers go by. */
function structure(registry: SeriesRegistry, series: number) {
  const { table } = registry;
  const at = series << RECORD_SHIFT;
  const head = table.words[at + HEAD]!;
  const runs = [];
  let previous = 0;
  let run = table.words[at + OLDEST]!;
  while (run !== 0) {
    const runAt = run << RECORD_SHIFT;
    assert.equal(table.runWords[runAt + RUN_PREV], previous);
    const length = table.runLength(series, run);
    const hotPage = run === head ? (length - 1) >> PAGE_SHIFT : -1;
    const pages = [];
    for (let page = 0; page < RUN_PAGE_COUNT; page++) {
      const isEmpty = table.runWords[runAt + RUN_PAGES + page] === 0;
      // A hot page lies in its lane; none of it may be left in the pool.
      if (page === hotPage) assert.ok(isEmpty);
      pages.push(isEmpty);
    }
    runs.push({
      start: table.runStart(run),
      first: table.runWords[runAt + RUN_FIRST],
      length,
      pages,
    });
    previous = run;
    run = table.runWords[runAt + RUN_NEXT]!;
  }
  assert.equal(previous, head);
  return {
    runs,
    length: table.words[at + LENGTH],
    next: table.floats[(at >> 1) + NEXT_SLOT],
  };
}

const value = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -5, max: 1000 }) },
  { weight: 2, arbitrary: fc.double({ noNaN: true }) },
);
const step = fc.record({
  series: fc.nat(ENTRIES.length - 1),
  kind: fc.constantFrom("many", "many", "many", "jump", "late", "trim", "none"),
  slots: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 150 }) },
    { weight: 2, arbitrary: fc.integer({ min: 151, max: 1500 }) },
  ),
  value,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Writes the same into the tables given; returns the newest time of each series. */
function play(
  registries: readonly SeriesRegistry[],
  steps: readonly Step[],
  newest: number[],
  model: Map<number, number>[],
): void {
  const ids = registries.map((registry) =>
    ENTRIES.map((entry) => seriesOf(registry, entry))
  );
  const write = (at: number, time: number, value: number) => {
    registries.forEach(({ table }, i) => {
      assert.ok(table.write(ids[i]![at]!, time, value));
    });
    if (Number.isNaN(value)) model[at]!.delete(time);
    else model[at]!.set(time, value);
  };
  for (const { series: at, kind, slots, value } of steps) {
    const frequency = ENTRIES[at]!.frequencySec;
    if (kind === "many") {
      for (let i = 0; i < slots; i++) {
        newest[at]! += frequency;
        write(at, newest[at]!, value + (i % 3 === 0 ? i / 3 : i));
      }
    } else if (kind === "jump") {
      newest[at]! += slots * frequency;
      write(at, newest[at]!, value);
    } else if (kind === "late") {
      write(at, newest[at]! - slots * frequency, value);
    } else if (kind === "none") {
      // Slots that lose their values: pages can become empty that way.
      for (let i = 0; i < Math.min(slots, 130); i++) {
        const time = newest[at]! - i * frequency;
        if (model[at]!.has(time)) write(at, time, NaN);
      }
    } else {
      const horizon = newest[at]! - slots * frequency;
      registries.forEach(({ table }, i) => {
        table.trimBefore(ids[i]![at]!, horizon);
      });
    }
  }
}

Deno.test("SeriesSections and restoreSeries() bring back every run, page and value", () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 40, size: "max" }),
      fc.array(step, { maxLength: 15, size: "max" }),
      fc.array(fc.tuple(fc.nat(5000), fc.nat(5000), fc.nat(59)), {
        minLength: 3,
        maxLength: 8,
      }),
      (before, after, windows) => {
        clear(SOURCE);
        clear(TARGET);
        const newest = ENTRIES.map(() => BEGIN_SEC);
        const model = ENTRIES.map(() => new Map<number, number>());
        play([SOURCE], before, newest, model);
        restore(TARGET, save(SOURCE));
        const compare = () => {
          for (const [at, entry] of ENTRIES.entries()) {
            const source = seriesOf(SOURCE, entry);
            const target = seriesOf(TARGET, entry);
            if (SOURCE.table.words[(source << RECORD_SHIFT) + HEAD] === 0) {
              continue;
            }
            assert.deepEqual(TARGET.describe(target), entry);
            assert.deepEqual(
              structure(TARGET, target),
              structure(SOURCE, source),
            );
            for (const [back, width, offset] of windows) {
              const from = newest[at]! - back * entry.frequencySec + offset;
              const to = from + width * entry.frequencySec;
              assert.deepEqual(
                read(TARGET, target, from, to),
                read(SOURCE, source, from, to),
              );
            }
            if (entry.frequencySec !== 1) continue;
            const { fromSec, points } = read(
              TARGET,
              target,
              0,
              newest[at]! + 1,
            );
            points.forEach((point, i) => {
              const wanted = model[at]!.get(fromSec + i) ?? NaN;
              // What was trimmed away in between reads as nothing.
              if (Number.isNaN(point)) return;
              assert.ok(Object.is(point, wanted), `${point} ${wanted}`);
            });
          }
        };
        compare();
        play([SOURCE, TARGET], after, newest, model);
        compare();
      },
    ),
    { numRuns: fuzzRuns(60) },
  );
});

Deno.test("restoreSeries() puts samples one by one where their frequency is another", () => {
  clear(SOURCE);
  clear(OTHER_FREQUENCY);
  const source = seriesOf(SOURCE, ENTRIES[0]!);
  const times = [0, 1, 2, 7, 100, 101, 700, 701, 2000];
  for (const time of times) SOURCE.table.write(source, 1000 + time, time);
  const counts = restore(OTHER_FREQUENCY, save(SOURCE));
  assert.equal(counts.samples, times.length);
  const target = seriesOf(OTHER_FREQUENCY, ENTRIES[0]!);
  const { fromSec, points } = read(OTHER_FREQUENCY, target, 0, 4000);
  const found = points.flatMap((value, i) =>
    Number.isNaN(value) ? [] : [[fromSec + 5 * i, value]]
  );
  // Slots reach from 2 s before their nominal time to 2 s after it.
  assert.deepEqual(found, [
    [1000, 2],
    [1005, 7],
    [1100, 101],
    [1700, 701],
    [3000, 2000],
  ]);
});

Deno.test("restoreSeries() passes over what is not wanted, unknown or wholly too old", () => {
  clear(SOURCE);
  // Of its own: others may leave a series behind that never got a sample.
  const target = makeRegistry(METRICS);
  for (const entry of ENTRIES) {
    SOURCE.table.write(seriesOf(SOURCE, entry), 5000, 1);
  }
  SOURCE.table.write(seriesOf(SOURCE, entryOf("old", "second")), 100, 1);
  const payloads = save(SOURCE);
  restore(target, payloads, ({ host }) => host !== "a", 4000);
  assert.deepEqual([...target.tree.clusters("").get("c")!.keys()], ["b"]);
  const unknown = makeRegistry({
    minute: { frequencySec: 60, aggregation: null },
  });
  assert.equal(restore(unknown, payloads).unknownMetric, 3);
  assert.equal(unknown.table.seriesCount, 2);
});
