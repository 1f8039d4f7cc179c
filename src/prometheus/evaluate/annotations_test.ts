/** Remarks: each once, with their place, and not too many. */
import assert from "node:assert/strict";
import { Annotations } from "./annotations.ts";

Deno.test("Annotations keep a remark once, with its last place", () => {
  const annotations = new Annotations();
  annotations.warn("a", { start: 0, end: 1 });
  annotations.warn("a", { start: 4, end: 5 });
  annotations.inform("a", { start: 2, end: 3 });
  assert.deepEqual(annotations.texts("x +\nx + x"), {
    warnings: ["PromQL warning: a (2:1)"],
    infos: ["PromQL info: a (1:3)"],
  });
});

Deno.test("Annotations show ten of each kind and count the rest", () => {
  const annotations = new Annotations();
  for (let i = 0; i < 12; i++) {
    annotations.warn(`w${i}`, { start: 0, end: 1 });
    annotations.possibleNonCounter(`m${i}`, { start: 0, end: 1 });
  }
  const { warnings, infos } = annotations.texts("x");
  assert.equal(warnings.length, 11);
  assert.equal(warnings[10], "2 more warning annotations omitted");
  assert.equal(infos[10], "2 more info annotations omitted");
  assert.equal(annotations.texts("x", 0).infos.length, 12);
});

Deno.test("Annotations sum up what was corrected in buckets", () => {
  const annotations = new Annotations();
  const span = { start: 0, end: 1 };
  annotations.forcedMonotonicity("h", span, 60_000, {
    minBucket: 1,
    maxBucket: 2,
    maxDifference: 0.000123,
  });
  annotations.forcedMonotonicity("h", span, 0, {
    minBucket: 0.5,
    maxBucket: 1e7,
    maxDifference: 123,
  });
  const [text] = annotations.texts("x").infos;
  assert.match(
    text!,
    /for metric name "h", from buckets 0\.5 to 1e\+07, with a max diff of 1\.2e\+02, over 2 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z \(1:1\)$/,
  );
});
