import assert from "node:assert/strict";
import fc from "fast-check";
import { LineParser } from "../../metricstore/ingest/line_parser.ts";
import {
  parseFieldValue,
  parseTimestampSec,
} from "../../metricstore/ingest/number_parse.ts";
import { LEVEL_TYPES } from "../../metricstore/parquet/level_names.ts";
import { formatLine, isWritableTime, lineKey } from "./line_format.ts";

/** What the server reads in a line. */
function parse(line: string) {
  const bytes = new TextEncoder().encode(line);
  const parser = new LineParser();
  parser.parse(bytes, 0, bytes.length, true);
  const level = (type: string | undefined, id: string | undefined) =>
    type === undefined && id === undefined ? [] : [(type ?? "") + (id ?? "")];
  return {
    metric: parser.measurement,
    cluster: parser.cluster,
    host: parser.hostname,
    levels: [
      ...level(parser.type, parser.typeId),
      ...level(parser.subtype, parser.subtypeId),
    ],
    value: parseFieldValue(bytes, parser.valueStart, parser.valueEnd),
    time: parseTimestampSec(bytes, parser.timeStart, parser.timeEnd),
    isNode: parser.type === "node",
  };
}

Deno.test("lineKey() and formatLine() are read back as they were, or refused", () => {
  const unit = fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(..."aZ0/:.,= #\"'é漢\u{1f600}") },
    { weight: 3, arbitrary: fc.constant("\\") },
    { weight: 1, arbitrary: fc.constantFrom("\n", "\x7f", "\ud800") },
  );
  const name = fc.string({ unit, minLength: 1, maxLength: 6 });
  const level = fc.tuple(
    fc.constantFrom("", "node", "core", "socket"),
    name,
  ).map((parts) => parts.join(""));
  const names = fc.record({
    cluster: name,
    host: name,
    metric: name,
    levels: fc.array(level, { maxLength: 2 }),
  });
  const value = fc.double({ noNaN: true, noDefaultInfinity: true });
  const time = fc.integer({ min: -1e10, max: 9e10 });
  fc.assert(fc.property(names, value, time, (series, number, timestampSec) => {
    const key = lineKey(series, LEVEL_TYPES);
    const all = [series.cluster, series.host, series.metric, ...series.levels];
    const isPlain = all.every((one) =>
      /^[^\n\x7f\ud800]*[^\\\n\x7f\ud800]$/u.test(one)
    );
    if (key === undefined) {
      assert.ok(!isPlain || series.metric.startsWith("#"));
      return;
    }
    const found = parse(formatLine(key, number, timestampSec));
    const { isNode, value: read, ...others } = found;
    assert.deepEqual(others, { ...series, time: timestampSec });
    assert.ok(Object.is(read, number), `${read} for ${number}`);
    assert.ok(!isNode);
  }));
});

Deno.test("formatLine() writes the float64 that a float32 is", () => {
  const value = Math.fround(0.1);
  assert.equal(formatLine("m value=", value, 5), `m value=${value} 5\n`);
  assert.equal(Math.fround(Number(String(value))), value);
});

Deno.test("isWritableTime() refuses what would be read as milliseconds", () => {
  assert.ok(isWritableTime(99_999_999_999));
  assert.ok(!isWritableTime(100_000_000_000));
  assert.ok(!isWritableTime(1.5));
});
