import assert from "node:assert/strict";
import {
  MarkSkipper,
  textWithoutMark,
  withoutByteOrderMark,
} from "./byte_order_mark.ts";

const MARK = [0xef, 0xbb, 0xbf];

/** What comes of a body that is sent in pieces of these bytes. */
function taken(pieces: readonly (readonly number[])[]): number[] {
  const skipper = new MarkSkipper();
  const out = pieces.flatMap((piece) => [
    ...skipper.take(Uint8Array.from(piece)),
  ]);
  return [...out, ...skipper.rest()];
}

Deno.test("withoutByteOrderMark() takes the mark off, once, and nothing else", () => {
  const cases: [number[], number[]][] = [
    [[...MARK, 1], [1]],
    [[...MARK, ...MARK, 1], [...MARK, 1]],
    [MARK, []],
    [[0xef, 0xbb, 1], [0xef, 0xbb, 1]],
    [[0xef], [0xef]],
    [[], []],
    [[1, ...MARK], [1, ...MARK]],
  ];
  for (const [bytes, wanted] of cases) {
    assert.deepEqual([...withoutByteOrderMark(Uint8Array.from(bytes))], wanted);
  }
});

Deno.test("textWithoutMark() takes the mark off a text", () => {
  assert.equal(textWithoutMark("\ufeff{}"), "{}");
  assert.equal(textWithoutMark("{}\ufeff"), "{}\ufeff");
});

Deno.test("MarkSkipper gives the same for every way to cut a body", () => {
  const bodies: [number[], number[]][] = [
    [[...MARK, 1, 2], [1, 2]],
    [[...MARK, ...MARK], MARK],
    [[0xef, 0xbb, 0x20, 1], [0xef, 0xbb, 0x20, 1]],
    [[0xef, 0xbb], [0xef, 0xbb]],
    [[1, ...MARK], [1, ...MARK]],
    [MARK, []],
    [[], []],
  ];
  for (const [body, wanted] of bodies) {
    for (let cuts = 0; cuts < 1 << body.length; cuts++) {
      const pieces: number[][] = [[]];
      body.forEach((byte, i) => {
        if ((cuts >> i) & 1) pieces.push([]);
        pieces.at(-1)!.push(byte);
      });
      assert.deepEqual(taken(pieces), wanted, JSON.stringify(pieces));
    }
  }
});
