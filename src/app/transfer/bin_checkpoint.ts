/**
 * Binary snapshots as upstream writes them (metric-store 8.3): little-endian, a
 * tree of levels, strings with a 16-bit length. They carry no checksum, so a
 * file whose counts do not add up is refused as a whole. Pure.
 */
import { CheckpointError, type StoredSeries } from "./checkpoint.ts";

const MAGIC = 0xcc5b0001;
/** Window start and end, which the series repeat closely enough. */
const WINDOW_BYTES = 16;
/** Upstream writes two levels below the host; more than this is garbage. */
const DEPTH_MAX = 64;

/** All series of one file. Throws a {@linkcode CheckpointError}. */
export function readBinCheckpoint(bytes: Uint8Array): StoredSeries[] {
  const cursor = new Cursor(bytes);
  if (cursor.uint32() !== MAGIC) {
    throw new CheckpointError("no binary snapshot: wrong magic number");
  }
  cursor.take(WINDOW_BYTES);
  const series: StoredSeries[] = [];
  readLevel(cursor, [], series);
  if (cursor.left > 0) {
    throw new CheckpointError(`${cursor.left} bytes behind the last level`);
  }
  return series;
}

function readLevel(
  cursor: Cursor,
  levels: readonly string[],
  out: StoredSeries[],
): void {
  if (levels.length > DEPTH_MAX) {
    throw cursor.error("levels are nested too deeply");
  }
  for (let left = cursor.uint32(); left > 0; left--) {
    const metric = cursor.text();
    const frequencySec = cursor.int64();
    const startSec = cursor.int64();
    if (frequencySec <= 0) throw cursor.error("a frequency is not positive");
    out.push({
      levels,
      metric,
      frequencySec,
      startSec,
      values: cursor.floats(cursor.uint32()),
    });
  }
  for (let left = cursor.uint32(); left > 0; left--) {
    readLevel(cursor, [...levels, cursor.text()], out);
  }
}

/** Reads one value after the other and never beyond the end. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Moves over `count` bytes and gives where they begin. */
  take(count: number): number {
    if (count > this.left) throw this.error("the file ends too soon");
    const at = this.#at;
    this.#at += count;
    return at;
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  int64(): number {
    const value = Number(this.#view.getBigInt64(this.take(8), true));
    if (!Number.isSafeInteger(value)) {
      throw this.error("a number is out of range");
    }
    return value;
  }

  text(): string {
    const length = this.#view.getUint16(this.take(2), true);
    const at = this.take(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw this.error("a name is not UTF-8");
    }
  }

  floats(count: number): Float32Array {
    const at = this.take(count * 4);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      values[i] = this.#view.getFloat32(at + i * 4, true);
    }
    return values;
  }

  error(what: string): CheckpointError {
    return new CheckpointError(`at byte ${this.#at}: ${what}`);
  }
}
