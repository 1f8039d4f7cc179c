import assert from "node:assert/strict";
import fc from "fast-check";
import { findingText, findOutliers, oddSince } from "./findings.ts";

function averages(numbers: readonly number[]) {
  return numbers.map((avg, index) => ({ host: `n${index}`, avg }));
}

Deno.test("a node that does nothing among busy ones is found and named", () => {
  const numbers = Array.from({ length: 64 }, (_, i) => 70 + i % 3);
  numbers[12] = 1;
  numbers[13] = 0.5;
  const [finding, ...more] = findOutliers("cpu_load", averages(numbers));
  assert.deepEqual(more, []);
  assert.deepEqual(finding?.hosts, ["n13", "n12"]);
  assert.equal(
    findingText(finding!),
    "2 of 64 nodes below half of the median of cpu_load",
  );
});

Deno.test("nodes above are found, too, also where all others are equal", () => {
  const [finding] = findOutliers("mem_used", averages([10, 10, 10, 10, 14]));
  assert.equal(
    findingText(finding!),
    "1 of 5 nodes far above the median of mem_used",
  );
});

Deno.test("few nodes, noise, two kinds of nodes and silence are no finding", () => {
  assert.deepEqual(findOutliers("x", averages([1, 100, 1])), []);
  assert.deepEqual(findOutliers("x", averages([10, 10.1, 9.9, 10.2, 10])), []);
  assert.deepEqual(findOutliers("x", averages([1, 1, 9, 9, 9])), []);
  assert.deepEqual(findOutliers("x", averages([0, 0, 0, 0, 0])), []);
  assert.deepEqual(findOutliers("x", averages([NaN, NaN, NaN, 1, 2])), []);
});

Deno.test("an outlier is never one of the middle half", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 4 }),
    (numbers) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      const quarter = Math.floor(sorted.length / 4);
      const inner = sorted.slice(quarter, sorted.length - quarter);
      for (const { hosts } of findOutliers("x", averages(numbers))) {
        for (const host of hosts) {
          const value = numbers[Number(host.slice(1))]!;
          assert.ok(value < inner[0]! || value > inner.at(-1)!);
        }
      }
    },
  ));
});

Deno.test("odd since: the step after the last good one", () => {
  const mean = [10, 10, 10, 10, 10];
  assert.equal(oddSince([9, 9, 9, 1, 1], mean), 3);
  assert.equal(oddSince([9, 9, NaN, 1, 1], mean), 2);
  assert.equal(oddSince([1, 1, 1, 1, 1], mean), 0);
  assert.equal(oddSince([1, 1, 1, 1, 9], mean), -1);
});
