/**
 * A series as a snapshot keeps it: its name, its runs and their blocks. Written
 * from the table and put back into one. Owner thread only.
 *
 * Payload of a SERIES section: entries one after the other: eight texts
 * (instance, cluster, host, type, type-id, stype, stype-id, metric), u32
 * frequency, u32 number of runs, then the runs, oldest first: f64 start, u32
 * first slot, u32 length, u32 mask of the pages that follow, and for each of them
 * u32 bytes and a block (docs/formats/block.md).
 */
import { ByteReader, ByteWriter } from "../persist/byte_text.ts";
import type { SeriesEntry } from "../persist/series_dictionary.ts";
import {
  BLOCK_SLACK,
  blockBytesMax,
  decodeBlock,
} from "../store/block_codec.ts";
import {
  PAGE_SHIFT,
  PAGE_SLOTS,
  phaseOf,
  RECORD_SHIFT,
  RUN_PAGE_COUNT,
  RUN_PAGES,
} from "../store/layout.ts";
import {
  firstSlot,
  frequencyOf,
  headRun,
  nextRun,
  oldestRun,
} from "../store/records.ts";
import {
  appendRun,
  hotBlock,
  leftBlock,
  putBlock,
  warmUp,
  warmUpWith,
} from "../store/series_restore.ts";
import type { SeriesTable } from "../store/series_table.ts";
import type { RestoreCounts } from "./restore_state.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";

export const SERIES_SECTION = 1;

/** A slice: so much is written between two batches. */
const SECTION_BYTES = 256 << 10;
/** Series passed over in a slice although they have nothing to write. */
const SECTION_SERIES = 4096;

const PAGE = new Float64Array(PAGE_SLOTS);
const BLOCK = new Uint8Array(blockBytesMax(PAGE_SLOTS) + BLOCK_SLACK);
const BLOCK_VIEW = new DataView(BLOCK.buffer);

/** The sections of a snapshot, a slice at a time. */
export class SeriesSections {
  readonly #registry: SeriesRegistry;
  readonly #writer = new ByteWriter();
  #next = 0;

  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
  }

  /** The next section's payload, valid until the next call; `undefined`: that was all. */
  next(): Uint8Array | undefined {
    const { table } = this.#registry;
    const writer = this.#writer;
    if (this.#next >= table.seriesEnd) return undefined;
    writer.clear();
    const stop = Math.min(table.seriesEnd, this.#next + SECTION_SERIES);
    while (this.#next < stop && writer.length < SECTION_BYTES) {
      const series = this.#next++;
      if (table.isAlive(series)) {
        writeSeries(table, series, this.#registry.describe(series), writer);
      }
    }
    return writer.bytes;
  }
}

function writeSeries(
  table: SeriesTable,
  series: number,
  entry: SeriesEntry,
  writer: ByteWriter,
): void {
  writer.text(entry.instance);
  writer.text(entry.cluster);
  writer.text(entry.host);
  writer.text(entry.type);
  writer.text(entry.typeId);
  writer.text(entry.subtype);
  writer.text(entry.subtypeId);
  writer.text(entry.metric);
  writer.u32(entry.frequencySec);
  const countAt = writer.length;
  writer.u32(0);
  const head = headRun(table, series);
  let runs = 0;
  for (let run = oldestRun(table, series); run !== 0; runs++) {
    writeRun(table, series, run, run === head, writer);
    run = nextRun(table, run);
  }
  writer.view.setUint32(countAt, runs, true);
}

function writeRun(
  table: SeriesTable,
  series: number,
  run: number,
  isHead: boolean,
  writer: ByteWriter,
): void {
  const runAt = run << RECORD_SHIFT;
  const length = table.runLength(series, run);
  writer.f64(table.runStart(run));
  writer.u32(firstSlot(table, run));
  writer.u32(length);
  const maskAt = writer.length;
  writer.u32(0);
  const hotPage = isHead ? (length - 1) >> PAGE_SHIFT : -1;
  let mask = 0;
  for (let page = 0; page < RUN_PAGE_COUNT; page++) {
    const block = page === hotPage
      ? hotBlock(table, series)
      : leftBlock(table, table.runWords[runAt + RUN_PAGES + page]!);
    if (block === undefined) continue;
    mask |= 1 << page;
    writer.u32(block.length);
    writer.raw(block);
  }
  writer.view.setUint32(maskAt, mask, true);
}

interface StoredRun {
  readonly startSec: number;
  readonly first: number;
  readonly length: number;
  /** By page; `undefined`: all slots empty. */
  readonly blocks: readonly (Uint8Array | undefined)[];
}

/**
 * Puts the series of a section back, as far as they are `wanted` and not wholly
 * before the horizon. A series that is there already, or whose frequency is
 * another by now, gets its samples one by one, at the nominal times of their slots.
 */
export function restoreSeries(
  registry: SeriesRegistry,
  payload: Uint8Array,
  wanted: (entry: SeriesEntry) => boolean,
  horizonSec: number,
  counts: RestoreCounts,
): void {
  const reader = new ByteReader(payload);
  while (!reader.isAtEnd) {
    const entry = readEntry(reader);
    const runs = readRuns(reader);
    if (!reader.isOk) throw new Error("BUG: a checked section is cut short");
    if (!wanted(entry)) continue;
    const half = Math.floor(entry.frequencySec / 2);
    const kept = runs.filter((run) => {
      const endSec = run.startSec + half + run.length * entry.frequencySec;
      return endSec >= horizonSec;
    });
    if (kept.length === 0) continue;
    const series = registry.resolveEntry(entry);
    if (series === undefined) {
      counts.unknownMetric++;
      continue;
    }
    if (typeof series === "string") {
      counts.refused++;
      continue;
    }
    const { table } = registry;
    const isSame = frequencyOf(table, series) === entry.frequencySec &&
      headRun(table, series) === 0;
    counts.samples += isSame
      ? restoreRuns(table, series, kept)
      : rewriteRuns(table, series, entry.frequencySec, kept);
  }
}

function readEntry(reader: ByteReader): SeriesEntry {
  return {
    instance: reader.text(),
    cluster: reader.text(),
    host: reader.text(),
    type: reader.text(),
    typeId: reader.text(),
    subtype: reader.text(),
    subtypeId: reader.text(),
    metric: reader.text(),
    frequencySec: reader.u32(),
  };
}

function readRuns(reader: ByteReader): StoredRun[] {
  const runs: StoredRun[] = [];
  for (let left = reader.u32(); left > 0 && reader.isOk; left--) {
    const startSec = reader.f64();
    const first = reader.u32();
    const length = reader.u32();
    const mask = reader.u32();
    const blocks: (Uint8Array | undefined)[] = [];
    for (let page = 0; page < RUN_PAGE_COUNT; page++) {
      blocks.push(
        (mask & (1 << page)) === 0 ? undefined : reader.raw(reader.u32()),
      );
    }
    runs.push({ startSec, first, length, blocks });
  }
  return runs;
}

/** Returns how many slots were put back. */
function restoreRuns(
  table: SeriesTable,
  series: number,
  runs: readonly StoredRun[],
): number {
  let slots = 0;
  for (let i = 0; i < runs.length; i++) {
    const { startSec, first, length, blocks } = runs[i]!;
    const run = appendRun(table, series, startSec, first, length);
    if (run === 0) break;
    slots += length - first;
    // The newest page goes into its lane and nowhere else.
    const hotPage = i === runs.length - 1 && length > 0
      ? (length - 1) >> PAGE_SHIFT
      : -1;
    for (let page = 0; page < RUN_PAGE_COUNT; page++) {
      const block = blocks[page];
      if (block === undefined || page === hotPage) continue;
      putBlock(table, run, page, block);
    }
    if (hotPage < 0) continue;
    warmUpWith(table, series, blocks[hotPage]);
    return slots;
  }
  warmUp(table, series);
  return slots;
}

function rewriteRuns(
  table: SeriesTable,
  series: number,
  frequencySec: number,
  runs: readonly StoredRun[],
): number {
  const half = phaseOf(frequencySec);
  let samples = 0;
  for (const { startSec, blocks } of runs) {
    blocks.forEach((block, page) => {
      if (block === undefined) return;
      BLOCK.set(block);
      decodeBlock(BLOCK_VIEW, 0, 0, PAGE_SLOTS, PAGE, 0);
      for (let i = 0; i < PAGE_SLOTS; i++) {
        const value = PAGE[i]!;
        if (Number.isNaN(value)) continue;
        const slot = (page << PAGE_SHIFT) + i;
        const timestampSec = startSec + half + slot * frequencySec;
        if (table.write(series, timestampSec, value)) samples++;
      }
    });
  }
  return samples;
}
