import assert from "node:assert/strict";
import { parseFlags, UsageError } from "./flags.ts";

const SPECS = {
  config: { value: "FILE", help: "" },
  dev: { help: "" },
};

function parse(...args: string[]) {
  const { values, rest } = parseFlags(args, SPECS);
  return [Object.fromEntries(values), [...rest]];
}

Deno.test("parseFlags() takes one or two dashes, and values in both forms", () => {
  assert.deepEqual(parse("-config", "a", "--dev"), [
    { config: "a", dev: "true" },
    [],
  ]);
  assert.deepEqual(parse("--config=a=b", "-dev=false"), [
    { config: "a=b", dev: "false" },
    [],
  ]);
  assert.deepEqual(parse("-config="), [{ config: "" }, []]);
});

Deno.test("parseFlags() stops at the first word that is no flag", () => {
  assert.deepEqual(parse("-dev", "token", "-x"), [
    { dev: "true" },
    ["token", "-x"],
  ]);
  assert.deepEqual(parse("--", "-dev"), [{}, ["-dev"]]);
  assert.deepEqual(parse("-"), [{}, ["-"]]);
});

Deno.test("parseFlags() refuses what it does not know", () => {
  for (
    const args of [
      ["-x"],
      ["---dev"],
      ["-=a"],
      ["-toString"],
      ["-config"],
      ["-dev=maybe"],
    ]
  ) assert.throws(() => parse(...args), UsageError, args.join(" "));
});
