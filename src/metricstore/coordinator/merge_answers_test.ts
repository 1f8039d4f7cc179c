import assert from "node:assert/strict";
import { AnswerBlocks } from "./answer_blocks.ts";
import { mergeAnswers } from "./merge_answers.ts";
import type { JsonBody } from "../engine/metric_engine.ts";

const BLOCK_BYTES = 1 << 20;

/** Bytes of memory that cannot be collected as long as somebody has the body. */
function heldBytes({ chunks }: JsonBody): number {
  const buffers = new Set(chunks.map(({ buffer }) => buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

Deno.test("mergeAnswers() holds at most twice the memory of what it answers", async () => {
  const blocks = new AnswerBlocks(BLOCK_BYTES);
  const half = BLOCK_BYTES / 2;
  for (
    const bytes of [
      2,
      1000,
      40_000,
      half / 2,
      half - 100,
      half,
      half + 1,
      3 * half,
      9 * half,
    ]
  ) {
    const entry = new Uint8Array(bytes).fill(0x30);
    const answer = {
      chunks: [entry, entry],
      lengths: [bytes, bytes],
      release() {},
    };
    const body = await mergeAnswers([answer], [0, 0], [], blocks);
    const held = heldBytes(body);
    assert.ok(held <= 2 * body.byteLength, `${held} for ${body.byteLength}`);
    body.release?.();
  }
});

Deno.test("mergeAnswers() puts answers together in the order of the request, wherever blocks end", async () => {
  const entries = ["a", "b", "c", "d"].map((letter, i) =>
    new TextEncoder().encode(`"${letter.repeat(20 + 7 * i)}"`)
  );
  const [a, b, c, d] = entries.map((entry) => entry.length);
  const answers = [
    { chunks: [entries[0]!, entries[2]!], lengths: [a!, c!], release() {} },
    { chunks: [entries[1]!, entries[3]!], lengths: [b!, d!], release() {} },
  ];
  const expected = `{"results":[${
    entries.map((entry) => new TextDecoder().decode(entry)).join(",")
  }]}\n`;
  for (let blockBytes = 1; blockBytes < 4 * expected.length; blockBytes++) {
    const blocks = new AnswerBlocks(blockBytes);
    const { byteLength, chunks } = await mergeAnswers(
      answers,
      [0, 1, 0, 1],
      [],
      blocks,
    );
    assert.equal(byteLength, expected.length);
    const text = chunks.map((chunk) => new TextDecoder().decode(chunk)).join(
      "",
    );
    assert.equal(text, expected);
  }
});
