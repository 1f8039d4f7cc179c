/**
 * Stretches of lines of a part that other shards own, gathered for each of them
 * while the part is read, so that they travel together. Only numbers are kept; the
 * lines stay where they are. Owner thread only.
 */

/** Words of a stretch: where it begins and ends, its first line, its lines. */
const FROM = 0;
const TO = 1;
const LINE = 2;
const LINES = 3;
const STRETCH_SHIFT = 2;

/** More stretches than this keep no memory for the next part. */
const KEPT_STRETCHES_MAX = 1 << 16;

export class ForeignLines {
  readonly #lists: Uint32Array[];
  readonly #counts: number[];

  constructor(shards: number) {
    this.#lists = Array.from({ length: shards }, () => new Uint32Array(256));
    this.#counts = new Array<number>(shards).fill(0);
  }

  /** Bytes [from, to) are `lines` lines, the first of them numbered `line`. */
  add(
    shard: number,
    from: number,
    to: number,
    line: number,
    lines: number,
  ): void {
    const count = this.#counts[shard]!;
    let list = this.#lists[shard]!;
    const at = count << STRETCH_SHIFT;
    if (at === list.length) {
      const larger = new Uint32Array(list.length * 2);
      larger.set(list);
      this.#lists[shard] = list = larger;
    }
    list[at + FROM] = from;
    list[at + TO] = to;
    list[at + LINE] = line;
    list[at + LINES] = lines;
    this.#counts[shard] = count + 1;
  }

  /** How many stretches wait for a shard. */
  count(shard: number): number {
    return this.#counts[shard]!;
  }

  from(shard: number, i: number): number {
    return this.#lists[shard]![(i << STRETCH_SHIFT) + FROM]!;
  }

  to(shard: number, i: number): number {
    return this.#lists[shard]![(i << STRETCH_SHIFT) + TO]!;
  }

  line(shard: number, i: number): number {
    return this.#lists[shard]![(i << STRETCH_SHIFT) + LINE]!;
  }

  lines(shard: number, i: number): number {
    return this.#lists[shard]![(i << STRETCH_SHIFT) + LINES]!;
  }

  /** Shortens stretch `i` to the lines from `from` on; `line` is its first line. */
  cut(shard: number, i: number, from: number, line: number): void {
    const list = this.#lists[shard]!;
    const at = i << STRETCH_SHIFT;
    list[at + LINES] = list[at + LINES]! - (line - list[at + LINE]!);
    list[at + FROM] = from;
    list[at + LINE] = line;
  }

  clear(): void {
    this.#counts.fill(0);
    for (const [shard, list] of this.#lists.entries()) {
      if (list.length > KEPT_STRETCHES_MAX << STRETCH_SHIFT) {
        this.#lists[shard] = new Uint32Array(256);
      }
    }
  }
}
