import assert from "node:assert/strict";
import fc from "fast-check";
import { LEVEL_TYPES, splitLevelName } from "./level_names.ts";

Deno.test("splitLevelName() cuts behind the types it knows", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["socket0", "socket", "0"],
    ["memoryDomain12", "memoryDomain", "12"],
    ["accelerator00000000:49:00.0", "accelerator", "00000000:49:00.0"],
    ["socket", "socket", ""],
    ["fshome", "fshome", ""],
    ["7", "7", ""],
  ];
  for (const [name, type, id] of cases) {
    assert.deepEqual(splitLevelName(name), { type, id });
  }
});

Deno.test("splitLevelName() prefers the longest type", () => {
  const types = [...LEVEL_TYPES, "fs", "fsx", "f"];
  assert.deepEqual(splitLevelName("fsx1", types), { type: "fsx", id: "1" });
  assert.deepEqual(splitLevelName("fshome", types), { type: "fs", id: "home" });
});

Deno.test("splitLevelName() keeps the joined name", () => {
  const name = fc.tuple(
    fc.constantFrom("", ...LEVEL_TYPES),
    fc.string(),
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(name, (text) => {
    const { type, id } = splitLevelName(text);
    assert.equal(type + id, text);
  }));
});
