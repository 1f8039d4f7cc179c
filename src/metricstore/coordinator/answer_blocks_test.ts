import assert from "node:assert/strict";
import { AnswerBlocks } from "./answer_blocks.ts";

Deno.test("AnswerBlocks.take() gives what was given back, first", () => {
  const blocks = new AnswerBlocks(1024);
  const block = blocks.take();
  assert.equal(block.length, 1024);
  blocks.give([block.subarray(0, 10)]);
  assert.equal(blocks.kept, 1);
  assert.equal(blocks.take().buffer, block.buffer);
  assert.notEqual(blocks.take().buffer, block.buffer);
});

Deno.test("AnswerBlocks.give() passes other memory over and keeps no more than its bound", () => {
  const blocks = new AnswerBlocks(4 << 20);
  blocks.give([new Uint8Array(10), new Uint8Array(5 << 20)]);
  assert.equal(blocks.kept, 0);
  blocks.give(Array.from({ length: 10 }, () => blocks.take()));
  assert.equal(blocks.kept, 8);
});
