import assert from "node:assert/strict";
import { parseDuration } from "./duration.ts";

Deno.test("parseDuration() reads Go durations", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["48h", 172_800],
    ["1h30m", 5400],
    ["90s", 90],
    ["1.5h", 5400],
    [".5m", 30],
    ["5.s", 5],
    ["250ms", 0.25],
    ["2us", 2e-6],
    ["2µs", 2e-6],
    ["3ns", 3e-9],
    ["0", 0],
    ["0s", 0],
    ["+1m", 60],
    ["-1m", -60],
    ["1h1m1s", 3661],
  ];
  for (const [text, sec] of cases) assert.equal(parseDuration(text), sec, text);
});

Deno.test("parseDuration() refuses everything else", () => {
  for (
    const text of [
      "",
      "-",
      "5",
      "7d",
      "h",
      "1 h",
      "1h ",
      "1h30",
      "1e3s",
      "--1s",
      "1H",
      "ten seconds",
      ".s",
    ]
  ) assert.equal(parseDuration(text), undefined, text);
});
