/**
 * Series on their way from a shard to the archive: names and blocks as they lie in
 * memory, so that the shard need not decode them.
 *
 * A series is five texts (type, type-id, stype, stype-id, metric), u32 frequency,
 * u32 number of blocks, and for each block f64 nominal time of its first slot, u32
 * bytes, and the block (docs/formats/block.md). Series follow each other without
 * anything between them.
 */
import { assert } from "../../base/assert.ts";
import { ByteReader } from "../persist/byte_text.ts";
import {
  BLOCK_SLACK,
  blockBytesMax,
  decodeBlock,
} from "../store/block_codec.ts";
import { PAGE_SLOTS } from "../store/layout.ts";
import { splitLevelName } from "./level_names.ts";
import type { SeriesRows } from "./parquet_rows.ts";

const PAGE = new Float64Array(PAGE_SLOTS);
const BLOCK = new Uint8Array(blockBytesMax(PAGE_SLOTS) + BLOCK_SLACK);
const BLOCK_VIEW = new DataView(BLOCK.buffer);

/** The samples with a nominal time in [fromSec, toSec); series without any are left out. */
export function readSeries(
  bytes: Uint8Array,
  fromSec: number,
  toSec: number,
): SeriesRows[] {
  const reader = new ByteReader(bytes);
  const all: SeriesRows[] = [];
  while (!reader.isAtEnd) {
    const series = readOne(reader, fromSec, toSec);
    if (series.values.length > 0) all.push(series);
  }
  assert(reader.isOk, "a shard sends whole series");
  return all;
}

function readOne(
  reader: ByteReader,
  fromSec: number,
  toSec: number,
): SeriesRows {
  const level = scopeOf(reader.text(), reader.text());
  const sublevel = scopeOf(reader.text(), reader.text());
  const metric = reader.text();
  const frequencySec = reader.u32();
  const blocks = reader.u32();
  const timesSec = new Float64Array(blocks * PAGE_SLOTS);
  const values = new Float64Array(blocks * PAGE_SLOTS);
  let count = 0;
  for (let left = blocks; left > 0 && reader.isOk; left--) {
    const firstSec = reader.f64();
    BLOCK.set(reader.raw(reader.u32()));
    decodeBlock(BLOCK_VIEW, 0, 0, PAGE_SLOTS, PAGE, 0);
    for (let slot = 0; slot < PAGE_SLOTS; slot++) {
      const value = PAGE[slot]!;
      const timeSec = firstSec + slot * frequencySec;
      if (Number.isNaN(value) || timeSec < fromSec || timeSec >= toSec) {
        continue;
      }
      timesSec[count] = timeSec;
      values[count] = value;
      count++;
    }
  }
  return {
    metric,
    ...(sublevel ?? level ?? { scope: "node", scopeId: "" }),
    ...(sublevel === undefined || level === undefined ? {} : { parent: level }),
    frequencySec,
    timesSec: timesSec.subarray(0, count),
    values: values.subarray(0, count),
  };
}

interface Scope {
  readonly scope: string;
  readonly scopeId: string;
}

/** Upstream's archive calls `cpu` by its newer name; no labels: the host itself. */
function scopeOf(type: string, id: string): Scope | undefined {
  if (type === "" && id === "") return undefined;
  const name = type === "" ? splitLevelName(id) : { type, id };
  return {
    scope: name.type === "cpu" ? "hwthread" : name.type,
    scopeId: name.id,
  };
}
