/**
 * Sealed samples as compressed blocks, lossless for every float64 there is. The
 * format and the reasons for it: docs/formats/block.md. A block knows its number
 * of slots and its length; nothing about it is kept elsewhere.
 *
 * Views may be of shared memory; a block belongs to one thread at a time. The owner of
 * the memory leaves BLOCK_SLACK bytes after a block: readers touch them and
 * `encodeBlock` overwrites them.
 *
 * Cost (benches/block_codec_bench.ts): about 1.4 bytes, 40 ns to encode and
 * 3 ns to decode a sample of a real job. No call allocates memory, but for the
 * blocks that hold whole words; the last array encoded from is kept in mind, so
 * encode from one and the same.
 */
import { assert } from "../../base/assert.ts";
import { decode, packedCodes } from "./_block_decode.ts";
import { encode } from "./_block_encode.ts";
import {
  BLOCK_SLACK,
  BLOCK_SLOTS_MAX,
  BlockHead,
  lowWidth,
  packedBytes,
  RAW,
  readHead,
  WORDS,
} from "./_block_head.ts";

export { BLOCK_SLACK, BLOCK_SLOTS_MAX };

const HEAD = new BlockHead();

/** Most bytes a block of so many slots takes. */
export function blockBytesMax(slots: number): number {
  return 3 + slots * 8;
}

/**
 * Encodes values[from, from + slots) to the start of `out`, which must have room
 * for `blockBytesMax(slots) + BLOCK_SLACK` bytes; 1 <= slots <= 512. The
 * canonical NaN means "no value" and is cheap. Returns the bytes of the block.
 */
export function encodeBlock(
  values: Float64Array,
  from: number,
  slots: number,
  out: DataView,
): number {
  assert(
    slots >= 1 && slots <= BLOCK_SLOTS_MAX,
    `a block has 1 to ${BLOCK_SLOTS_MAX} slots, not ${slots}`,
  );
  const bytes = encode(values, from, slots, out);
  assert(bytes <= blockBytesMax(slots), "a block is longer than its values");
  return bytes;
}

/** Length of the block at `at`, bytes. */
export function blockBytes(view: DataView, at: number): number {
  const head = HEAD;
  readHead(view, at, head);
  if (head.scheme === RAW) return head.codesAt - at + head.slots * 8;
  const codes = packedCodes(view, head);
  const lows = head.scheme === WORDS ? packedBytes(codes, lowWidth(head)) : 0;
  return head.codesAt - at + packedBytes(codes, head.width) + lows;
}

/**
 * Decodes the slots [first, end) of the block at `at` into `out` from `outAt`;
 * slots without a value become NaN.
 */
export function decodeBlock(
  view: DataView,
  at: number,
  first: number,
  end: number,
  out: Float64Array,
  outAt: number,
): void {
  const head = HEAD;
  readHead(view, at, head);
  assert(end <= head.slots, "a block has no such slot");
  decode(view, head, first, end, out, outAt);
}
