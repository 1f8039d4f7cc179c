import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { type LineGroup, lineGroups, LineTooLongError } from "./line_groups.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

async function* chunks(
  text: string,
  size: number,
): AsyncGenerator<Uint8Array> {
  const bytes = ENCODER.encode(text);
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.slice(at, at + size));
  }
}

async function collect(source: AsyncIterable<LineGroup>): Promise<LineGroup[]> {
  const groups: LineGroup[] = [];
  for await (const group of source) groups.push(group);
  return groups;
}

async function cut(text: string, size: number, lines: number, bytes: number) {
  const groups = await collect(lineGroups(chunks(text, size), lines, bytes));
  return groups.map((group) => [DECODER.decode(group.bytes), group.lines]);
}

Deno.test("lineGroups() gives whole lines, as many as may be", async () => {
  assert.deepEqual(await cut("a\nb\nc\nd\ne", 100, 2, 100), [
    ["a\nb\n", 2],
    ["c\nd\n", 2],
    ["e", 1],
  ]);
  assert.deepEqual(await cut("aaa\nbbb\nccc\n", 5, 10, 8), [
    ["aaa\nbbb\n", 2],
    ["ccc\n", 1],
  ]);
  assert.deepEqual(await cut("a\nb", 1, 10, 100), [["a\nb", 2]]);
  assert.deepEqual(await cut("", 1, 10, 100), []);
});

Deno.test("lineGroups() names the line that fits into no message", async () => {
  await assert.rejects(
    cut("a\nbbbbbbbbbbbb\n", 4, 10, 8),
    (error: unknown) =>
      error instanceof LineTooLongError && /^line 2 /.test(error.message),
  );
});

Deno.test("lineGroups() loses and repeats nothing, whatever the chunks", async () => {
  const texts = fc.array(fc.string({ maxLength: 9, unit: "grapheme-ascii" }), {
    maxLength: 30,
  }).map((lines) => lines.join("\n"));
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 12, max: 40 }),
      async (text, size, linesMax, bytesMax) => {
        const groups = await collect(
          lineGroups(chunks(text, size), linesMax, bytesMax),
        );
        const joined = groups.map(({ bytes }) => DECODER.decode(bytes)).join(
          "",
        );
        assert.equal(joined, text);
        for (const { bytes, lines } of groups) {
          const own = DECODER.decode(bytes);
          assert.ok(bytes.length <= bytesMax && lines <= linesMax);
          const breaks = own.split("\n").length - 1;
          assert.equal(lines, own.endsWith("\n") ? breaks : breaks + 1);
        }
      },
    ),
    { numRuns: fuzzRuns(200) },
  );
});
