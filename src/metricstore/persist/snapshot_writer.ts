/**
 * Writes a snapshot in slices: as many calls of `section` as the state needs,
 * with other work in between. The file has its name only once it is complete and
 * durable. Owner thread only.
 *
 * Any method may throw a `StorageError`; the snapshot is then to be aborted.
 */
import { crc32 } from "node:zlib";
import { assert } from "../../base/assert.ts";
import { AtomicFile } from "./atomic_file.ts";
import { encodeHeader, type FileOwner } from "./file_header.ts";
import { snapshotName } from "./filenames.ts";
import type { Files } from "./files.ts";
import {
  FOOTER_KIND,
  FOOTER_PAYLOAD_BYTES,
  MAGIC,
  SECTION_CRC,
  SECTION_HEADER_BYTES,
  SECTION_KIND,
  SECTION_MAGIC,
  SECTION_PAYLOAD_BYTES,
  SECTION_PAYLOAD_MAX,
  sectionBytes,
  SNAPSHOT_FORMAT,
} from "./snapshot_format.ts";

/** Small sections share a write call. */
const BUFFER_BYTES = 1 << 18;
/** Synced in between, so that no single sync holds the writer up for long. */
const SYNC_EVERY_BYTES = 8 << 20;

export class SnapshotWriter {
  readonly #file: AtomicFile;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #header = new Uint8Array(SECTION_HEADER_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  #buffered = 0;
  #writtenBytes = 0;
  #unsyncedBytes = 0;
  #sections = 0;
  #payloadBytes = 0;

  /** Begins `snapshot.<owner.segment>` in the shard's directory, which exists. */
  constructor(files: Files, directory: string, owner: FileOwner) {
    this.#file = new AtomicFile(files, directory, snapshotName(owner.segment));
    this.#put(encodeHeader(SNAPSHOT_FORMAT, owner));
  }

  /** Bytes of the file so far. */
  get byteLength(): number {
    return this.#writtenBytes + this.#buffered;
  }

  /** Appends a section; `kind` is the caller's, at least 0 and below 2^32 - 1. */
  section(kind: number, payload: Uint8Array): void {
    assert(
      Number.isInteger(kind) && kind >= 0 && kind < FOOTER_KIND,
      `a section cannot be of the kind ${kind}`,
    );
    this.#section(kind, payload);
    this.#sections++;
    this.#payloadBytes += payload.length;
  }

  /** Completes the file and makes it durable under its name. */
  finish(): void {
    const footer = new DataView(new ArrayBuffer(FOOTER_PAYLOAD_BYTES));
    footer.setFloat64(0, this.#sections, true);
    footer.setFloat64(8, this.#payloadBytes, true);
    this.#section(FOOTER_KIND, new Uint8Array(footer.buffer));
    this.#flush();
    this.#file.publish();
  }

  /** Gives the snapshot up and removes what there is of it. */
  abort(): void {
    this.#file.abort();
  }

  #section(kind: number, payload: Uint8Array): void {
    assert(
      payload.length <= SECTION_PAYLOAD_MAX,
      `a section cannot have ${payload.length} bytes`,
    );
    const padding = PADDING.subarray(0, -payload.length & 7);
    const view = this.#headerView;
    view.setUint32(SECTION_MAGIC, MAGIC, true);
    view.setUint32(SECTION_PAYLOAD_BYTES, payload.length, true);
    view.setUint32(SECTION_KIND, kind, true);
    let crc = crc32(this.#header.subarray(SECTION_PAYLOAD_BYTES));
    crc = crc32(payload, crc);
    crc = crc32(padding, crc);
    view.setUint32(SECTION_CRC, crc, true);
    const before = this.byteLength;
    this.#put(this.#header);
    this.#put(payload);
    this.#put(padding);
    assert(
      this.byteLength - before === sectionBytes(payload.length),
      "a section is as long as its reader expects",
    );
  }

  #put(bytes: Uint8Array): void {
    if (this.#buffered + bytes.length > BUFFER_BYTES) this.#flush();
    if (bytes.length > BUFFER_BYTES) return this.#write(bytes);
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#file.write(bytes);
    this.#writtenBytes += bytes.length;
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
    this.#file.sync();
    this.#unsyncedBytes = 0;
  }
}

const PADDING = new Uint8Array(8);
