/**
 * Which codes of a block to pack and which to keep aside. A few outliers would make
 * every code wide; a block is smallest when most values lie in a narrow window and the
 * others are listed as patches (slot number and value).
 *
 * Cost: one pass over the sorted codes per patch tried; few are.
 */
import {
  GAPS_BITMAP,
  GAPS_CODE,
  GAPS_NONE,
  packedBytes,
  PATCHES_MAX,
  positionBytes,
  signedBytes,
} from "./_block_head.ts";
import { bitsOf } from "./_block_bits.ts";

/** Facts about a block before a window is chosen. */
export interface WindowTask {
  slots: number;
  /** Slots without a value. */
  empty: number;
  /** Values that no code can stand for; they become patches of 8 bytes. */
  exceptions: number;
  /** Bits every code carries beside its place in the window. */
  extraBits: number;
  /** Patches are float64 rather than steps from the base. */
  wholePatches: boolean;
  /** GAPS_CODE is allowed. */
  canEscape: boolean;
}

/** A choice: where the window lies and how the block is laid out. */
export class Window {
  low = 0;
  high = 0;
  width = 0;
  gaps = GAPS_NONE;
  patches = 0;
  patchBytes = 0;
  /** Bytes of bitmap, patches and codes: the block without its head. */
  bytes = Infinity;
}

/** Index of the narrowest `length` neighbours. */
function narrowest(sorted: Float64Array, count: number, length: number) {
  let best = 0;
  let span = Infinity;
  for (let i = 0; i + length <= count; i++) {
    const here = sorted[i + length - 1]! - sorted[i]!;
    if (here < span) {
      span = here;
      best = i;
    }
  }
  return best;
}

/** Bytes of patches with their head; 0: there are none. */
export function patchListBytes(
  slots: number,
  patches: number,
  patchBytes: number,
): number {
  if (patches === 0) return 0;
  return 1 + patches * (positionBytes(slots) + patchBytes);
}

/**
 * The best window over `count` sorted codes, count >= 1. `out.bytes` stays
 * Infinity when there are more exceptions than a block can list.
 */
export function chooseWindow(
  sorted: Float64Array,
  count: number,
  task: WindowTask,
  out: Window,
): void {
  out.bytes = Infinity;
  const { slots, exceptions, extraBits } = task;
  const trimMax = Math.min(PATCHES_MAX - exceptions, count - 1);
  if (trimMax < 0) return;
  const least = narrowest(sorted, count, count - trimMax);
  const leastWidth = extraBits +
    bitsOf(sorted[least + count - trimMax - 1]! - sorted[least]!);
  const whole = task.wholePatches || exceptions > 0;
  // The window's low end is at least half the range from one of the ends.
  const farthest = Math.floor((sorted[count - 1]! - sorted[0]!) / 2);
  const patchBytesMin = whole ? 8 : Math.max(1, signedBytes(farthest));
  let tried = Infinity;
  for (let trim = 0; trim <= trimMax; trim++) {
    const inside = count - trim;
    if (
      patchListBytes(slots, trim + exceptions, patchBytesMin) +
          packedBytes(inside, leastWidth) >= out.bytes
    ) return;
    const start = narrowest(sorted, count, inside);
    const low = sorted[start]!;
    const high = sorted[start + inside - 1]!;
    // Only a cut that makes the codes narrower can pay.
    const width = bitsOf(high - low);
    if (width >= tried) continue;
    // Equals of the window's ends lie in it too: such a cut saves nothing.
    if (start > 0 && sorted[start - 1] === low) continue;
    if (start + inside < count && sorted[start + inside] === high) continue;
    const patches = trim + exceptions;
    const patchBytes = whole ? 8 : Math.max(
      signedBytes(sorted[0]! - low),
      signedBytes(sorted[count - 1]! - low),
    );
    tried = width;
    const listed = patchListBytes(slots, patches, patchBytes);
    const placed = chooseGaps(task, high - low, inside);
    const bytes = listed + placed.bytes;
    if (bytes >= out.bytes) continue;
    out.low = low;
    out.high = high;
    out.width = placed.width;
    out.gaps = placed.gaps;
    out.patches = patches;
    out.patchBytes = patchBytes;
    out.bytes = bytes;
  }
}

/** Bytes of `count` codes; their extra bits are packed by themselves. */
function codeBytes(task: WindowTask, count: number, width: number): number {
  return packedBytes(count, width) + packedBytes(count, task.extraBits);
}

const PLACED = { gaps: GAPS_NONE, width: 0, bytes: 0 };

/**
 * How to show empty slots among codes 0..span, `inside` of them: with a code of
 * their own, or with a bitmap. The result is reused by the next call.
 */
export function chooseGaps(
  task: WindowTask,
  span: number,
  inside: number,
): typeof PLACED {
  const width = bitsOf(span);
  if (task.empty === 0) {
    PLACED.gaps = GAPS_NONE;
    PLACED.width = width;
    PLACED.bytes = codeBytes(task, task.slots, width);
    return PLACED;
  }
  PLACED.gaps = GAPS_BITMAP;
  PLACED.width = width;
  PLACED.bytes = ((task.slots + 7) >>> 3) +
    codeBytes(task, inside, width);
  if (!task.canEscape) return PLACED;
  const escaped = bitsOf(span + 1);
  const bytes = codeBytes(task, task.slots, escaped);
  if (bytes > PLACED.bytes) return PLACED;
  PLACED.gaps = GAPS_CODE;
  PLACED.width = escaped;
  PLACED.bytes = bytes;
  return PLACED;
}
