/**
 * Finds where the frames and blocks of zstd data end (RFC 8878), from their
 * headers alone: three bytes a block, the contents are passed over. Checks no
 * more than that, the decoder does the rest. Pure, any thread.
 */
import { malformedBody } from "./request_coding.ts";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RESERVED_BLOCK = 3;
const RLE_BLOCK = 1;

export interface ZstdLimits {
  /** What a decoder may need to look back. */
  readonly maxWindowBytes: number;
  /** Skippable ones count. */
  readonly maxFrames: number;
  /** Of all frames together. */
  readonly maxBlocks: number;
}

/** Parts of a frame in their order; `content` is what lies between headers. */
type Part =
  | "magic"
  | "skippable-size"
  | "descriptor"
  | "window"
  | "dictionary"
  | "content-size"
  | "block"
  | "content"
  | "checksum"
  | "end";

export class ZstdFrameScanner {
  readonly #limits: ZstdLimits;
  #part: Part = "end";
  /** Bytes of the part that are still to come. */
  #missing = 0;
  /** The bytes of the part so far, as a little-endian number. */
  #value = 0;
  #place = 1;
  #descriptor = 0;
  #lastBlock = false;
  #frames = 0;
  #blocks = 0;

  constructor(limits: ZstdLimits) {
    this.#limits = limits;
  }

  /** Frames begun so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Whether every frame begun has come to its end. */
  get betweenFrames(): boolean {
    return this.#part === "end";
  }

  /**
   * Looks at the next bytes and returns how many of them, from the first, go to
   * the decoder in one piece: at most to the end of a block (with the header of
   * the frame before it), of a checksum or of a skippable frame. Throws
   * `E_BAD_REQUEST` for what is no frame or beyond the limits.
   */
  scan(bytes: Uint8Array): number {
    if (bytes.length === 0) return 0;
    if (this.#part === "end") this.#begin();
    let at = 0;
    for (;;) {
      while (this.#missing === 0) {
        const part = this.#part;
        this.#complete();
        if (part === "content" || part === "checksum") return at;
      }
      if (at === bytes.length) return at;
      if (this.#part === "content") {
        const step = Math.min(this.#missing, bytes.length - at);
        this.#missing -= step;
        at += step;
      } else {
        this.#value += bytes[at++]! * this.#place;
        this.#place *= 256;
        this.#missing--;
      }
    }
  }

  #begin(): void {
    if (++this.#frames > this.#limits.maxFrames) {
      throw malformedBody("zstd", `more than ${this.#limits.maxFrames} frames`);
    }
    this.#enter("magic", 4);
  }

  #enter(part: Part, size: number): void {
    this.#part = part;
    this.#missing = size;
    this.#value = 0;
    this.#place = 1;
  }

  /** The present part is whole: what it says of the next one. */
  #complete(): void {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        return this.#afterMagic(value);
      case "skippable-size":
        // To the scanner it is a single block without a checksum.
        this.#lastBlock = true;
        this.#descriptor = 0;
        return this.#enter("content", value);
      case "descriptor":
        this.#descriptor = value;
        return this.#enter("window", this.#singleSegment ? 0 : 1);
      case "window":
        if (!this.#singleSegment) this.#checkWindow(windowBytes(value));
        return this.#enter("dictionary", [0, 1, 2, 4][this.#descriptor & 3]!);
      case "dictionary":
        return this.#enter("content-size", this.#contentSizeBytes());
      case "content-size":
        // The window of a single segment is its whole content.
        if (this.#singleSegment) this.#checkWindow(value);
        return this.#enter("block", 3);
      case "block":
        return this.#afterBlockHeader(value);
      case "content":
        if (!this.#lastBlock) return this.#enter("block", 3);
        return (this.#descriptor & 4) === 0
          ? this.#enter("end", 0)
          : this.#enter("checksum", 4);
      case "checksum":
        return this.#enter("end", 0);
    }
  }

  #afterMagic(magic: number): void {
    if (magic === FRAME_MAGIC) return this.#enter("descriptor", 1);
    // Any of sixteen numbers.
    if (magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16) {
      return this.#enter("skippable-size", 4);
    }
    throw malformedBody("zstd", "no frame begins where one should");
  }

  #afterBlockHeader(header: number): void {
    if (++this.#blocks > this.#limits.maxBlocks) {
      throw malformedBody("zstd", `more than ${this.#limits.maxBlocks} blocks`);
    }
    this.#lastBlock = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) {
      throw malformedBody("zstd", "a block of a reserved type");
    }
    // Such a block is one byte, however often it is repeated.
    this.#enter("content", type === RLE_BLOCK ? 1 : header >> 3);
  }

  get #singleSegment(): boolean {
    return (this.#descriptor & 0x20) !== 0;
  }

  #contentSizeBytes(): number {
    const flag = this.#descriptor >> 6;
    return flag === 0 ? (this.#singleSegment ? 1 : 0) : 1 << flag;
  }

  #checkWindow(bytes: number): void {
    const { maxWindowBytes } = this.#limits;
    if (bytes > maxWindowBytes) {
      throw malformedBody(
        "zstd",
        `a window of ${bytes} bytes, at most ${maxWindowBytes} are taken`,
      );
    }
  }
}

/** Size of the window that a window descriptor stands for. */
function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
