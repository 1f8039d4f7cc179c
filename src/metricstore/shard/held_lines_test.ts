import assert from "node:assert/strict";
import { HeldLines } from "./held_lines.ts";

Deno.test("HeldLines.take() gives copies of the pieces of one batch, once", () => {
  const held = new HeldLines();
  const piece = Uint8Array.of(1, 2);
  held.add("a", 1, piece);
  piece.fill(9);
  held.add("a", 1, Uint8Array.of(3));
  held.add("b", 2, Uint8Array.of(4));
  const { pieces, bytes } = held.take("a", 1);
  assert.deepEqual(pieces, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  assert.equal(bytes, 3);
  assert.equal(held.take("a", 1).bytes, 0);
  assert.equal(held.take("b", 2).bytes, 1);
});

Deno.test("HeldLines.add() drops what is left of an earlier batch of the stream", () => {
  const held = new HeldLines();
  held.add("a", 1, Uint8Array.of(1));
  held.add("a", 2, Uint8Array.of(2));
  assert.equal(held.take("a", 1).bytes, 0);
  assert.deepEqual(held.take("a", 2).pieces, [Uint8Array.of(2)]);
});
