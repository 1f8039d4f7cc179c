/**
 * Names of series in a log segment. A segment gives its series ids of its own,
 * counting from 0 in order of first appearance and never used twice: a scrape
 * thus is one run of ids whatever the store's ids are, and a lost entry can only
 * make samples nameless, never give them another name.
 *
 * Payload of a SERIES record: u32 first id, u32 count, then `count` entries: u16
 * mask, for each set bit a text (bit 8: a u32), zeros up to a multiple of eight.
 * Bits that are not set: as in the entry before, in the same record. Neighbours
 * share most names, so an entry is about 20 bytes.
 */
import { assert } from "../../base/assert.ts";
import { ByteReader, ByteWriter } from "./byte_text.ts";
import {
  IDS_MAX,
  KIND,
  RECORD_HEADER_BYTES,
  RECORD_PAYLOAD_GOAL,
  sealRecord,
} from "./wal_format.ts";

/** A series as its first line named it. `""`: it has no such level. */
export interface SeriesEntry {
  readonly instance: string;
  readonly cluster: string;
  readonly host: string;
  readonly type: string;
  readonly typeId: string;
  readonly subtype: string;
  readonly subtypeId: string;
  readonly metric: string;
  readonly frequencySec: number;
}

/** The texts in the order of their bits. */
const TEXTS = [
  "instance",
  "cluster",
  "host",
  "type",
  "typeId",
  "subtype",
  "subtypeId",
  "metric",
] as const;
const FREQUENCY_BIT = 1 << TEXTS.length;
const FREQUENCY_MAX = 2 ** 31 - 1;

/** Collects the entries of one batch as finished records. */
export class DictionaryWriter {
  readonly #writer = new ByteWriter();
  #recordStart = 0;
  #firstId = 0;
  #count = 0;
  #last: SeriesEntry | undefined;

  get isEmpty(): boolean {
    return this.#writer.length === 0;
  }

  get byteLength(): number {
    return this.#writer.length;
  }

  /** Ids of one batch follow each other. */
  add(id: number, entry: SeriesEntry): void {
    const writer = this.#writer;
    if (this.#last === undefined) {
      this.#recordStart = writer.length;
      this.#firstId = id;
      this.#count = 0;
      writer.skip(RECORD_HEADER_BYTES + 8);
    }
    assert(id === this.#firstId + this.#count, "ids are given out in order");
    writeEntry(writer, entry, this.#last);
    this.#last = entry;
    this.#count++;
    const length = writer.length - this.#recordStart - RECORD_HEADER_BYTES;
    if (length >= RECORD_PAYLOAD_GOAL) this.#seal();
  }

  /** All records; valid until the next call. */
  finish(): Uint8Array {
    this.#seal();
    return this.#writer.bytes;
  }

  clear(): void {
    this.#writer.clear();
    this.#last = undefined;
  }

  #seal(): void {
    if (this.#last === undefined) return;
    this.#last = undefined;
    const writer = this.#writer;
    writer.align();
    const start = this.#recordStart;
    const payload = start + RECORD_HEADER_BYTES;
    writer.view.setUint32(payload, this.#firstId, true);
    writer.view.setUint32(payload + 4, this.#count, true);
    sealRecord(writer.bytes, writer.view, start, writer.length, KIND.SERIES);
  }
}

function writeEntry(
  writer: ByteWriter,
  entry: SeriesEntry,
  last: SeriesEntry | undefined,
): void {
  assert(
    entry.frequencySec > 0 && entry.frequencySec <= FREQUENCY_MAX,
    `a series cannot have the frequency ${entry.frequencySec}`,
  );
  let mask = 0;
  for (let i = 0; i < TEXTS.length; i++) {
    if (entry[TEXTS[i]!] !== last?.[TEXTS[i]!]) mask |= 1 << i;
  }
  if (entry.frequencySec !== last?.frequencySec) mask |= FREQUENCY_BIT;
  writer.u16(mask);
  for (let i = 0; i < TEXTS.length; i++) {
    if ((mask & 1 << i) !== 0) writer.text(entry[TEXTS[i]!]);
  }
  if ((mask & FREQUENCY_BIT) !== 0) writer.u32(entry.frequencySec);
}

/** Returns the ids that a SERIES payload names, without reading its names. */
export function dictionaryIds(
  payload: Uint8Array,
): { readonly first: number; readonly count: number } {
  const reader = new ByteReader(payload);
  return { first: reader.u32(), count: reader.u32() };
}

/**
 * Calls `each` for the entries of a SERIES payload. Returns false if no writer makes
 * such a payload; entries before the fault have been given.
 */
export function readDictionary(
  payload: Uint8Array,
  each: (id: number, entry: SeriesEntry) => void,
): boolean {
  const reader = new ByteReader(payload);
  const firstId = reader.u32();
  const count = reader.u32();
  if (firstId + count > IDS_MAX) return false;
  let last: SeriesEntry | undefined;
  for (let i = 0; i < count; i++) {
    last = readEntry(reader, last);
    if (!reader.isOk || last === undefined) return false;
    each(firstId + i, last);
  }
  return true;
}

/** `undefined`: a first entry that leaves something out. */
function readEntry(
  reader: ByteReader,
  last: SeriesEntry | undefined,
): SeriesEntry | undefined {
  const mask = reader.u16();
  if (last === undefined && mask !== FREQUENCY_BIT * 2 - 1) return undefined;
  const { instance, cluster, host, type, typeId, subtype, subtypeId } = last ??
    NO_ENTRY;
  // Named one by one: to copy an object by `...` takes longer than all the rest.
  const entry: { -readonly [K in keyof SeriesEntry]: SeriesEntry[K] } = {
    instance,
    cluster,
    host,
    type,
    typeId,
    subtype,
    subtypeId,
    metric: last?.metric ?? "",
    frequencySec: last?.frequencySec ?? 0,
  };
  for (let i = 0; i < TEXTS.length; i++) {
    if ((mask & 1 << i) !== 0) entry[TEXTS[i]!] = reader.text();
  }
  if ((mask & FREQUENCY_BIT) !== 0) entry.frequencySec = reader.u32();
  return entry;
}

const NO_ENTRY: SeriesEntry = {
  instance: "",
  cluster: "",
  host: "",
  type: "",
  typeId: "",
  subtype: "",
  subtypeId: "",
  metric: "",
  frequencySec: 0,
};
