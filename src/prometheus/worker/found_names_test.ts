/** Names, values and series: each once, in order, cut where only the first are wanted. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { Budget } from "../evaluate/budget.ts";
import { compareUtf8, Labels } from "../evaluate/labels.ts";
import { foundNames } from "./found_names.ts";

const budget = () => new Budget({ maxSamples: 1e9, maxSeries: 1e9 }, {});

async function valuesOf(texts: Iterable<string>, limit: number) {
  const found = foundNames("values", "a", { limit, maxBytes: 1 << 30 });
  for (const text of texts) {
    found.add(new Labels(["a"], [text]));
    if (found.isFull) await found.trim(budget());
  }
  const { entries, isCut } = await found.finish(budget());
  return { values: [...entries].map((one) => JSON.parse(one)), isCut };
}

Deno.test("foundNames() gives the first of the sorted values", async () => {
  const texts = fc.array(
    fc.string({
      unit: fc.constantFrom("a", "b", "😀", "\uffff"),
      minLength: 1,
    }),
  );
  await fc.assert(
    fc.asyncProperty(texts, fc.nat(6), async (given, limit) => {
      const all = [...new Set(given)].sort(compareUtf8);
      assert.deepEqual(await valuesOf(given, limit), {
        values: limit === 0 ? all : all.slice(0, limit),
        isCut: limit > 0 && all.length > limit,
      });
    }),
    { numRuns: fuzzRuns(200) },
  );
});

Deno.test("foundNames() keeps the first of very many, whatever their order", async () => {
  const count = 20_000;
  function* shuffled() {
    // 7919 and the count have no factor in common.
    for (let i = 0; i < count; i++) yield `v${100_000 + (i * 7919) % count}`;
  }
  const { values, isCut } = await valuesOf(shuffled(), 100);
  assert.equal(isCut, true);
  assert.deepEqual(
    values,
    Array.from({ length: 100 }, (_, i) => `v${100_000 + i}`),
  );
});

Deno.test("foundNames() refuses what no answer could hold", () => {
  const found = foundNames("series", "", { limit: 0, maxBytes: 1000 });
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) found.add(new Labels(["host"], [`h${i}`]));
  }, {
    errorType: "execution",
    message: "the answer is larger than 1000 bytes",
  });
});
