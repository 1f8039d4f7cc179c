/**
 * The UTF-8 byte order mark that some editors and shells put before a text. It
 * stands for nothing; taken for text it would be part of the first word. Pure.
 */

const MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** The bytes behind the mark; the same array where there is none. */
export function withoutByteOrderMark<Bytes extends Uint8Array>(
  bytes: Bytes,
): Bytes {
  return bytes[0] === MARK[0] && bytes[1] === MARK[1] && bytes[2] === MARK[2]
    ? bytes.subarray(MARK.length) as Bytes
    : bytes;
}

/** The text behind the mark. */
export function textWithoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** Takes the mark out of a body that comes in pieces, which may cut it. */
export class MarkSkipper {
  /** How much of the mark has come; more than its length: that question is settled. */
  #seen = 0;

  /**
   * The bytes of a piece that count. A beginning that may be a mark is held back, and
   * comes with the next piece where it was none.
   */
  take(piece: Uint8Array): Uint8Array {
    if (this.#seen > MARK.length) return piece;
    const before = this.#seen;
    let at = 0;
    while (this.#seen < MARK.length && at < piece.length) {
      if (piece[at] !== MARK[this.#seen]) return this.#put(before, piece);
      at++;
      this.#seen++;
    }
    if (this.#seen === MARK.length) this.#seen++;
    return piece.subarray(at);
  }

  /** Returns the bytes held back from a body that ended in the middle of a mark. */
  rest(): Uint8Array {
    const held = this.#seen < MARK.length ? this.#seen : 0;
    this.#seen = MARK.length + 1;
    return MARK.subarray(0, held);
  }

  #put(held: number, piece: Uint8Array): Uint8Array {
    this.#seen = MARK.length + 1;
    if (held === 0) return piece;
    const whole = new Uint8Array(held + piece.length);
    whole.set(MARK.subarray(0, held));
    whole.set(piece, held);
    return whole;
  }
}
