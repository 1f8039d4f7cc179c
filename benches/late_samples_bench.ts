/**
 * Samples into the table of one shard: in order, overwritten (a redelivered stream)
 * and late (every second slot was left out and comes afterwards). 2,000 series x 200
 * slots, round by round as scrapes come; fixed values.
 */
import { SeriesTable } from "../src/metricstore/store/series_table.ts";

const SERIES = 2000;
const SLOTS = 200;
const STEP_SEC = 60;
const START_SEC = 1_700_000_000;

function newTable(): SeriesTable {
  const table = new SeriesTable(2048, 1 << 14);
  for (let i = 0; i < SERIES; i++) table.create(STEP_SEC, 0, 0);
  return table;
}

function writeRounds(table: SeriesTable, first: number, every: number): void {
  for (let slot = first; slot < SLOTS; slot += every) {
    const time = START_SEC + slot * STEP_SEC;
    for (let series = 0; series < SERIES; series++) {
      table.write(series, time, (series * 31 + slot * 7) % 1000 / 10);
    }
  }
}

// One table for each, or the memory that is reserved for them would pile up.
const ORDERED = newTable();
const OVERWRITTEN = newTable();
writeRounds(OVERWRITTEN, 0, 1);
const LATE = newTable();

function empty(table: SeriesTable): void {
  for (let series = 0; series < SERIES; series++) {
    table.freeBefore(series, Infinity);
  }
}

Deno.bench(
  "400,000 samples in order",
  { group: "late", baseline: true },
  () => {
    empty(ORDERED);
    writeRounds(ORDERED, 0, 1);
  },
);

Deno.bench("400,000 samples overwritten", { group: "late" }, () => {
  writeRounds(OVERWRITTEN, 0, 1);
});

Deno.bench("200,000 samples in order, 200,000 late", { group: "late" }, () => {
  empty(LATE);
  writeRounds(LATE, 0, 2);
  writeRounds(LATE, 1, 2);
});
