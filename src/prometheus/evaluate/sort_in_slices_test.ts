/** The order of `sort`, with breaks. */
import assert from "node:assert/strict";
import { Budget } from "./budget.ts";
import { sortInSlices } from "./sort_in_slices.ts";

Deno.test("sortInSlices() sorts as sort() does, stable, with breaks", async () => {
  for (const count of [0, 1, 2, 1023, 1024, 1025, 5000, 100_000]) {
    const items = Array.from({ length: count }, (_, i) => ({
      key: (i * 7919) % 1009,
      place: i,
    }));
    let breaks = 0;
    const budget = new Budget({ maxSamples: 0, maxSeries: 0 }, {
      betweenSlices: () => {
        breaks++;
      },
    });
    const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
    const sorted = await sortInSlices(items, compare, budget);
    assert.deepEqual(sorted, items.toSorted(compare));
    assert.ok(count < 100_000 || breaks > 50, `${breaks}`);
  }
});
