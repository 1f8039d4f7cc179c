import assert from "node:assert/strict";
import {
  checkPattern,
  LabelPattern,
  PATTERN_BYTES_MAX,
} from "./label_pattern.ts";

Deno.test("checkPattern() gives no reason for patterns of RE2", () => {
  for (
    const text of ["", "a|b", "cpu_.*", "(?i)node[0-9]{2,4}", "\\pL+", "^a$"]
  ) assert.equal(checkPattern(text), undefined, text);
});

Deno.test("checkPattern() says what is wrong with others", () => {
  assert.match(checkPattern("a(") ?? "", /missing closing \)/);
  assert.match(checkPattern("[z-a]") ?? "", /range/);
  assert.match(checkPattern("(?=a)") ?? "", /unsupported|invalid/);
  assert.match(checkPattern("(?<!a)b") ?? "", /invalid/);
  assert.match(checkPattern("(a)\\1") ?? "", /escape/);
  assert.match(checkPattern("((a{100}){100}){100}") ?? "", /repeat/);
});

Deno.test("checkPattern() bounds the length and the compiled size", () => {
  assert.equal(checkPattern("a".repeat(PATTERN_BYTES_MAX)), undefined);
  assert.match(checkPattern("ä".repeat(513)) ?? "", /longer than 1024 bytes/);
  assert.match(checkPattern("a{1000}b{1000}c") ?? "", /too large/);
});

Deno.test("LabelPattern.matches() takes the whole value", () => {
  const cases: [string, string, boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["a|b", "ab", false],
    ["a|ab", "ab", true],
    ["a*?", "aaa", true],
    ["ode", "node", false],
    [".*", "a\nb", true],
    ["(?m)^a$", "b\na", false],
    ["e0[0-9]+", "e0123", true],
    ["(?i)E1", "e1", true],
  ];
  for (const [text, value, expected] of cases) {
    const pattern = new LabelPattern(text);
    assert.equal(pattern.matches(value), expected, `${text} on ${value}`);
    assert.equal(pattern.matches(value), expected, "remembered");
  }
});

Deno.test("LabelPattern.matches() stays right when it forgets and begins anew", () => {
  const pattern = new LabelPattern("(a|b)*a(a|b){14}");
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20_000; i++) {
      const value = i.toString(2).replaceAll("0", "b").replaceAll("1", "a");
      assert.equal(pattern.matches(value), value.at(-15) === "a", value);
    }
  }
});

// A backtracking engine would not come back from these before the suite is killed.
Deno.test("LabelPattern.matches() comes back from hostile patterns on 10,000 characters", () => {
  const hostile = [
    "(a+)+$",
    "(a|aa)+",
    "(a|a?)+b",
    "(.*)*x",
    "(a?){300}a{300}",
  ];
  const value = `${"a".repeat(10_000)}!`;
  for (const text of hostile) {
    assert.equal(new LabelPattern(text).matches(value), false, text);
  }
  assert.equal(new LabelPattern("(a+)+$").matches("a".repeat(10_000)), true);
});
