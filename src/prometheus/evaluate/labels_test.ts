/** Label sets: order, keys, changes. */
import assert from "node:assert/strict";
import {
  compareLabels,
  compareUtf8,
  dropMetadata,
  labelsOf,
  partKey,
  printLabels,
  setLabel,
} from "./labels.ts";

Deno.test("labelsOf() sorts, and leaves out empty values", () => {
  const labels = labelsOf([["b", "2"], ["a", ""], ["__name__", "x"], [
    "b",
    "3",
  ]]);
  assert.deepEqual(labels.names, ["__name__", "b"]);
  assert.equal(labels.get("b"), "3");
  assert.equal(labels.get("a"), "");
  assert.equal(printLabels(labels), `{__name__="x", b="3"}`);
});

Deno.test("compareUtf8() is the order of the bytes", () => {
  const texts = [
    "",
    "a",
    "ab",
    "b",
    "ä",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "😀",
    "😁",
  ];
  const encoder = new TextEncoder();
  for (const a of texts) {
    for (const b of texts) {
      const left = encoder.encode(a);
      const right = encoder.encode(b);
      const differs = left.findIndex((byte, i) => byte !== right[i]);
      const expected = differs < 0
        ? left.length - right.length
        : (left[differs] ?? -1) - (right[differs] ?? -1);
      assert.equal(Math.sign(compareUtf8(a, b)), Math.sign(expected), a + b);
    }
  }
});

Deno.test("keys are equal for equal sets only", () => {
  const sets = [
    labelsOf([]),
    labelsOf([["a", "bc"]]),
    labelsOf([["ab", "c"]]),
    labelsOf([["a", "b"], ["c", "d"]]),
    labelsOf([["a", "b\u0001c\u0001d"]]),
  ];
  assert.equal(new Set(sets.map(({ key }) => key)).size, sets.length);
  const sorted = sets.toSorted(compareLabels).map(printLabels);
  assert.deepEqual(sorted, [
    "{}",
    `{a="b", c="d"}`,
    `{a="b\\x01c\\x01d"}`,
    `{a="bc"}`,
    `{ab="c"}`,
  ]);
});

Deno.test("partKey() looks at the named labels, or at all others", () => {
  const a = labelsOf([["job", "1"], ["x", "2"]]);
  const b = labelsOf([["job", "1"], ["x", "3"], ["y", "4"]]);
  const on = partKey(["job", "none"], true);
  assert.equal(on(a), on(b));
  const ignoring = partKey(["x", "y"], false);
  assert.equal(ignoring(a), ignoring(b));
  assert.notEqual(partKey(["x"], false)(a), partKey(["x"], false)(b));
});

Deno.test("setLabel() adds, changes and removes", () => {
  const labels = labelsOf([["b", "2"]]);
  assert.equal(printLabels(setLabel(labels, "a", "1")), `{a="1", b="2"}`);
  assert.equal(printLabels(setLabel(labels, "c", "3")), `{b="2", c="3"}`);
  assert.equal(printLabels(setLabel(labels, "b", "9")), `{b="9"}`);
  assert.equal(printLabels(setLabel(labels, "b", "")), "{}");
  assert.equal(setLabel(labels, "x", ""), labels);
  const typed = labelsOf([["__name__", "n"], ["__type__", "t"], [
    "__unit__",
    "u",
  ]]);
  assert.equal(printLabels(dropMetadata(typed)), "{}");
});
