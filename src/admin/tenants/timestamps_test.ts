import assert from "node:assert/strict";
import { canonicalTime, timeOfMs } from "./timestamps.ts";

Deno.test("canonicalTime() gives the moment in UTC, cut to microseconds", () => {
  const cases: [string, string][] = [
    ["2020-07-13T16:50:41.953793Z", "2020-07-13T16:50:41.953793Z"],
    ["2020-07-13T17:37:59.341728283Z", "2020-07-13T17:37:59.341728Z"],
    ["2030-01-01t00:00:00z", "2030-01-01T00:00:00Z"],
    ["2030-01-01T01:30:00+01:30", "2030-01-01T00:00:00Z"],
    ["1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"],
  ];
  for (const [text, utc] of cases) assert.equal(canonicalTime(text), utc);
});

Deno.test("canonicalTime() takes nothing but RFC 3339", () => {
  const wrong = [
    "",
    "2030-01-01",
    "2030-01-01T00:00Z",
    "2030-01-01T00:00:00",
    "2030-13-01T00:00:00Z",
    "2030-02-30T00:00:00Z",
    "2030-01-01T25:00:00Z",
    "2030-01-01T00:00:00Z[UTC]",
    "2030-01-01 00:00:00Z",
    "+012030-01-01T00:00:00Z",
    "9999-12-31T23:59:59-01:00",
    "0000-01-01T00:00:00+01:00",
    "1893456000",
  ];
  for (const text of wrong) assert.equal(canonicalTime(text), undefined, text);
});

Deno.test("timeOfMs() drops fractions of milliseconds", () => {
  assert.equal(timeOfMs(1893456000000.7), "2030-01-01T00:00:00Z");
});
