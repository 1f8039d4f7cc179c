/**
 * The numbers that lines of a FORWARD frame have in their batch: the frame holds
 * stretches of lines from all over a part, one after the other. Read only where a
 * line is refused, so nothing is made before the first question. Owner thread only.
 */
import { RUN_BYTES } from "../transport/write_header.ts";

export class LineNumbers {
  readonly #view: DataView;
  readonly #at: number;
  readonly #runs: number;
  /** For each run, how many lines of the frame come before it. */
  #before: Uint32Array | undefined;

  /** `runs` runs lie at `at` in `view`; they stay there while questions come. */
  constructor(view: DataView, at: number, runs: number) {
    this.#view = view;
    this.#at = at;
    this.#runs = runs;
  }

  /** The number in the batch of the line that is `index`-th in the frame, from 0. */
  of(index: number): number {
    const before = this.#before ??= this.#countBefore();
    let low = 0;
    let high = this.#runs - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (before[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    const first = this.#view.getUint32(this.#at + low * RUN_BYTES, true);
    return first + index - before[low]!;
  }

  #countBefore(): Uint32Array {
    const before = new Uint32Array(this.#runs);
    let lines = 0;
    for (let i = 0; i < this.#runs; i++) {
      before[i] = lines;
      lines += this.#view.getUint32(this.#at + i * RUN_BYTES + 4, true);
    }
    return before;
  }
}
