/** Durations and numbers: read, printed, refused. */
import assert from "node:assert/strict";
import { formatDurationMs, parseDurationMs } from "./duration.ts";
import {
  formatFixed,
  formatPlain,
  formatShortest,
  parseNumberLiteral,
} from "./number_literal.ts";
import { quote, unquote } from "./quote.ts";

Deno.test("parseDurationMs() and formatDurationMs() agree", () => {
  const cases: [text: string, ms: number][] = [
    ["0s", 0],
    ["1ms", 1],
    ["1s", 1000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["1w", 604_800_000],
    ["1y", 31_536_000_000],
    ["8d", 691_200_000],
    ["10s53ms", 10_053],
  ];
  for (const [text, ms] of cases) {
    assert.equal(parseDurationMs(text), ms);
    assert.equal(formatDurationMs(ms), text);
  }
  assert.equal(parseDurationMs("0"), 0);
  assert.equal(formatDurationMs(-90_000), "-1m30s");
  for (const text of ["", "1", "1m1h", "m", "1.5h", "-1m", "1x", "400y"]) {
    assert.throws(() => parseDurationMs(text), SyntaxError, text);
  }
});

Deno.test("numbers are read as Go reads them", () => {
  const cases: [text: string, value: number][] = [
    ["0x10", 16],
    ["010", 8],
    ["1_000", 1000],
    ["08.5", 8.5],
    ["1e3", 1000],
    ["Inf", Infinity],
    ["9223372036854775807", 2 ** 63],
  ];
  for (const [text, value] of cases) {
    assert.equal(parseNumberLiteral(text), value, text);
  }
  for (const text of ["1e400", "0xg", "1__0"]) {
    assert.throws(() => parseNumberLiteral(text), SyntaxError, text);
  }
});

Deno.test("numbers are printed in plain, shortest and fixed notation", () => {
  const cases: [value: number, plain: string, shortest: string][] = [
    [0, "0", "0"],
    [-0, "-0", "-0"],
    [1e21, "1000000000000000000000", "1e+21"],
    [123456789, "123456789", "1.23456789e+08"],
    [1e-7, "0.0000001", "1e-07"],
    [-1.5e-9, "-0.0000000015", "-1.5e-09"],
    [0.0001, "0.0001", "0.0001"],
    [Infinity, "+Inf", "+Inf"],
    [NaN, "NaN", "NaN"],
  ];
  for (const [value, plain, shortest] of cases) {
    assert.equal(formatPlain(value), plain);
    assert.equal(formatShortest(value), shortest);
  }
  assert.equal(formatFixed(2 ** 63), "9223372036854775808.000000");
});

Deno.test("quote() and unquote() keep every text", () => {
  for (const text of ["", 'a"b\\c', "\n\t\x07\x01", "äß€😀", "\u00a0"]) {
    assert.equal(unquote(quote(text)), text);
  }
  // Bytes that are no UTF-8 are kept apart from all text, and written back.
  const bytes = unquote(`"\\xff\\xc3\\xa4"`);
  assert.equal(bytes, "\udcffä");
  assert.equal(quote(bytes), `"\\xffä"`);
});
