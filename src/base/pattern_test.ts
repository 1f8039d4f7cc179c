/** Patterns with and without the engine agree. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePattern, compileRegex, patternCompiler } from "./pattern.ts";
import { fuzzRuns } from "../../tests/support/fuzz_runs.ts";

Deno.test("compilePattern() matches whole values", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["", [""], ["a"]],
    [".*", ["", "a\nb"], []],
    [".+", ["a", "\n"], [""]],
    ["a", ["a"], ["", "ab", "ba"]],
    ["a|b|", ["a", "b", ""], ["ab", "c"]],
    ["web(1|2)-x", ["web1-x", "web2-x"], ["web3-x", "web1"]],
    ["a\\.b", ["a.b"], ["axb"]],
    ["a.*", ["a", "ab\n"], ["ba"]],
    ["a.+", ["ab"], ["a"]],
    [".*a", ["a", "ba"], ["ab"]],
    [".+a", ["ba"], ["a"]],
    [".*a.*", ["a", "bab"], ["b"]],
    [".+a.+", ["bab", "aaa"], ["a", "ab", "ba"]],
    ["(?i:A)b", ["ab", "Ab"], ["aB"]],
    ["[0-9]+", ["12"], ["1a"]],
    ["a.b", ["a\nb"], ["ab"]],
  ];
  for (const [pattern, yes, no] of cases) {
    const matches = compilePattern(pattern);
    for (const value of yes) assert.ok(matches(value), `${pattern} ${value}`);
    for (const value of no) assert.ok(!matches(value), `${pattern} ${value}`);
  }
});

Deno.test("compilePattern() answers as the engine does", () => {
  const pattern = fc.array(
    fc.constantFrom("a", "b", "|", "(", ")", ".*", ".+", "\\.", ".", "ab"),
    { maxLength: 7 },
  ).map((parts) => parts.join(""));
  const value = fc.string({
    unit: fc.constantFrom("a", "b", ".", "\n"),
    maxLength: 5,
  });
  fc.assert(
    fc.property(pattern, fc.array(value), (text, values) => {
      let engine;
      try {
        engine = compileRegex(text);
      } catch {
        assert.throws(() => compilePattern(text), SyntaxError);
        return;
      }
      const matches = compilePattern(text);
      for (const value of values) {
        assert.equal(
          matches(value),
          engine.testExact(value),
          `${text} ${value}`,
        );
      }
    }),
    { numRuns: fuzzRuns(2000) },
  );
});

Deno.test("compilePattern() refuses what is too large", () => {
  assert.throws(() => compilePattern("a".repeat(70_000)), /longer than 65536/);
  assert.throws(() => compilePattern("(a{100}b){1000}"), SyntaxError);
  // Grafana's variables: long, and no work for the engine.
  const hosts = Array.from({ length: 2000 }, (_, i) => `host${i}`);
  const matches = compilePattern(`(${hosts.join("|")})`);
  assert.ok(matches("host1999") && !matches("host2000"));
});

Deno.test("patternCompiler() bounds the patterns of a query together", () => {
  const large = (i: number) => `${i}.{0,990}.{0,990}.{0,990}`;
  const compile = patternCompiler();
  const test = compile(large(1));
  assert.equal(compile(large(1)), test);
  assert.throws(() => {
    for (let i = 2; i < 10; i++) compile(large(i));
  }, /too large together/);
  // What needs no engine takes no share.
  const other = patternCompiler();
  for (let i = 0; i < 10_000; i++) assert.ok(other(`a|b${i}`)("a"));
});
