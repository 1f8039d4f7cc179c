/**
 * How a snapshot lies on disk: a header (file_header.ts), sections, a footer. The
 * writer of a section decides on its content. A section has the header of a log record
 * and a payload that zeros fill up to a multiple of eight; docs/formats/snapshot.md
 * shows it.
 */
import type { FileFormat } from "./file_header.ts";

export const SNAPSHOT_FORMAT: FileFormat = { magic: "RINGSNAP", version: 1 };

/** One row per field of a section's header. */
export const SECTION_FIELDS = [
  { name: "crc", at: 0, bytes: 4 },
  { name: "magic", at: 4, bytes: 4 },
  { name: "payloadBytes", at: 8, bytes: 4 },
  { name: "kind", at: 12, bytes: 4 },
] as const;

export const SECTION_CRC = 0;
export const SECTION_MAGIC = 4;
export const SECTION_PAYLOAD_BYTES = 8;
export const SECTION_KIND = 12;
export const SECTION_HEADER_BYTES = 16;

/** On disk "SECT". */
export const MAGIC = 0x54434553;

/** A reader keeps one section in memory. */
export const SECTION_PAYLOAD_MAX = 64 << 20;

/** The last section: number of sections before it and their bytes, f64 each. */
export const FOOTER_KIND = 0xffffffff;
export const FOOTER_PAYLOAD_BYTES = 16;

/** Bytes that a section takes in the file. */
export function sectionBytes(payloadBytes: number): number {
  return SECTION_HEADER_BYTES + payloadBytes + (-payloadBytes & 7);
}
