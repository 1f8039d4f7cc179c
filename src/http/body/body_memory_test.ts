import assert from "node:assert/strict";
import { BodyMemory, COLLECT_BYTES } from "./body_memory.ts";

Deno.test("BodyMemory collects once for every so many bytes of buffers", () => {
  let collections = 0;
  const memory = new BodyMemory(() => collections++);
  const chunk = new Uint8Array(COLLECT_BYTES / 4);
  for (let i = 0; i < 3; i++) memory.count(chunk);
  assert.equal(collections, 0);
  memory.count(chunk);
  assert.equal(collections, 1);
  for (let i = 0; i < 8; i++) memory.count(chunk);
  assert.equal(collections, 3);
});

Deno.test("BodyMemory counts the whole buffer of a chunk that shows a part of it", () => {
  let collections = 0;
  const memory = new BodyMemory(() => collections++);
  memory.count(new Uint8Array(COLLECT_BYTES).subarray(0, 10));
  assert.equal(collections, 1);
});
