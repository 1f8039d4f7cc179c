/**
 * Reads and judges snapshots. It never throws because of a file's content or an
 * unreadable part; errors of its handler pass through.
 *
 * Memory: the largest section.
 */
import { crc32 } from "node:zlib";
import { checkHeader, type FileOwner, HEADER_BYTES } from "./file_header.ts";
import type { Files, OpenFile } from "./files.ts";
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

export interface SnapshotReport {
  readonly path: string;
  readonly state: "good" | "damaged" | "unknown-version";
  /** The fault and its offset; `""` if there is none. */
  readonly reason: string;
  readonly sections: number;
  readonly fileBytes: number;
}

/**
 * Called for every section in the order of writing. `payload` begins at a
 * multiple of eight of its buffer and is valid during the call.
 */
export type SectionHandler = (kind: number, payload: Uint8Array) => void;

/** Reads all of a snapshot and checks it, without using it. */
export function verifySnapshot(
  files: Files,
  path: string,
  owner: FileOwner,
): SnapshotReport {
  return readSnapshot(files, path, owner, () => {});
}

/**
 * Hands over every section. Stops at the first that is not good; those before it have
 * been handed over, so verify first if half a snapshot is worse than none.
 */
export function readSnapshot(
  files: Files,
  path: string,
  owner: FileOwner,
  handler: SectionHandler,
): SnapshotReport {
  const reader = new SnapshotReader();
  let state: SnapshotReport["state"] = "good";
  let reason = "";
  try {
    reader.read(files, path, owner, handler);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    state = error.state;
    reason = error.message;
  }
  const { sections, fileBytes } = reader;
  return { path, state, reason, sections, fileBytes };
}

/** Why a snapshot cannot be used; caught in this file. */
class Unfit extends Error {
  readonly state: "damaged" | "unknown-version";

  constructor(
    message: string,
    state: "damaged" | "unknown-version" = "damaged",
  ) {
    super(message);
    this.state = state;
  }
}

class SnapshotReader {
  sections = 0;
  fileBytes = 0;
  #payloadBytes = 0;
  #bytes = new Uint8Array(1 << 16);

  read(
    files: Files,
    path: string,
    owner: FileOwner,
    handler: SectionHandler,
  ): void {
    const file = readable("it", () => files.openToRead(path));
    try {
      this.fileBytes = readable("its size", () => file.size());
      const header = checkHeader(
        this.#load(file, 0, HEADER_BYTES),
        SNAPSHOT_FORMAT,
        owner,
      );
      if (header === "unknown-version") {
        throw new Unfit("another version wrote it", header);
      }
      if (header !== "good") throw new Unfit("its header is damaged");
      let at: number | undefined = HEADER_BYTES;
      while (at !== undefined) at = this.#readSection(file, at, handler);
    } finally {
      file.close();
    }
  }

  /** Returns where the next section is; `undefined`: this was the footer. */
  #readSection(
    file: OpenFile,
    at: number,
    handler: SectionHandler,
  ): number | undefined {
    const head = this.#load(file, at, SECTION_HEADER_BYTES);
    const view = new DataView(head.buffer, 0, SECTION_HEADER_BYTES);
    const crc = view.getUint32(SECTION_CRC, true);
    const kind = view.getUint32(SECTION_KIND, true);
    const payloadBytes = view.getUint32(SECTION_PAYLOAD_BYTES, true);
    const bytes = sectionBytes(payloadBytes);
    if (
      view.getUint32(SECTION_MAGIC, true) !== MAGIC ||
      payloadBytes > SECTION_PAYLOAD_MAX || at + bytes > this.fileBytes
    ) throw new Unfit(`there is no section at offset ${at}`);
    const section = this.#load(file, at, bytes);
    if (crc32(section.subarray(SECTION_PAYLOAD_BYTES)) !== crc) {
      throw new Unfit(`the section at offset ${at} is damaged`);
    }
    const payload = section.subarray(
      SECTION_HEADER_BYTES,
      SECTION_HEADER_BYTES + payloadBytes,
    );
    if (kind === FOOTER_KIND) {
      this.#checkFooter(payload, at + bytes);
      return undefined;
    }
    this.sections++;
    this.#payloadBytes += payloadBytes;
    handler(kind, payload);
    return at + bytes;
  }

  #checkFooter(payload: Uint8Array, end: number): void {
    const view = new DataView(
      payload.buffer,
      payload.byteOffset,
      payload.length,
    );
    const isComplete = payload.length === FOOTER_PAYLOAD_BYTES &&
      view.getFloat64(0, true) === this.sections &&
      view.getFloat64(8, true) === this.#payloadBytes;
    if (!isComplete) throw new Unfit("its footer counts other sections");
    if (end !== this.fileBytes) throw new Unfit("bytes follow its footer");
  }

  /** Bytes of the file, valid until the next call. */
  #load(file: OpenFile, at: number, count: number): Uint8Array {
    if (at + count > this.fileBytes) {
      throw new Unfit(`it ends at offset ${this.fileBytes}`);
    }
    if (this.#bytes.length < count) {
      this.#bytes = new Uint8Array(Math.max(count, this.#bytes.length * 2));
    }
    const target = this.#bytes.subarray(0, count);
    const filled = readable(
      `offset ${at}`,
      () => file.read(target, at),
    );
    if (filled < count) throw new Unfit(`it ends at offset ${at + filled}`);
    return target;
  }
}

function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Unfit(`${what} cannot be read: ${reason}`);
  }
}
