/** The pages in docs/formats say what the constants say. */
import assert from "node:assert/strict";
import { HEADER_FIELDS } from "./file_header.ts";
import * as snapshot from "./snapshot_format.ts";
import * as wal from "./wal_format.ts";

interface Field {
  readonly name: string;
  readonly at: number;
  readonly bytes: number;
}

const WAL_PAGE = page("wal");
const SNAPSHOT_PAGE = page("snapshot");

function page(name: string): string {
  const url = new URL(`../../../docs/formats/${name}.md`, import.meta.url);
  return Deno.readTextFileSync(url);
}

/** The fields in the tables of one chapter of a page. */
function fieldsOf(text: string, chapter: string): Field[] {
  const [, body] = text.split(`\n## ${chapter}\n`);
  const rows = body!.split("\n## ")[0]!.matchAll(
    /^\| (\d+) +\| (\d+) +\| `(\w+)` +\|/gm,
  );
  return [...rows].map(([, at, bytes, name]) => ({
    name: name!,
    at: Number(at),
    bytes: Number(bytes),
  }));
}

Deno.test("docs/formats/wal.md shows the fields of the code", () => {
  assert.deepEqual(fieldsOf(WAL_PAGE, "Header"), HEADER_FIELDS);
  assert.deepEqual(fieldsOf(WAL_PAGE, "Record"), wal.RECORD_FIELDS);
});

Deno.test("docs/formats/wal.md shows the kinds and the magics of the code", () => {
  for (const [name, kind] of Object.entries(wal.KIND)) {
    assert.match(WAL_PAGE, new RegExp(`^\\| ${kind} +\\| ${name} `, "m"));
  }
  assert.ok(WAL_PAGE.includes(`0x${wal.MAGIC.toString(16).toUpperCase()}`));
  assert.ok(WAL_PAGE.includes(`\`${wal.WAL_FORMAT.magic}\``));
  assert.equal(wal.RECORD_PAYLOAD_MAX, 1 << 20);
  assert.equal(wal.RECORD_PAYLOAD_GOAL, 64 << 10);
});

Deno.test("docs/formats/snapshot.md shows the fields of the code", () => {
  assert.deepEqual(fieldsOf(SNAPSHOT_PAGE, "Header"), HEADER_FIELDS);
  assert.deepEqual(fieldsOf(SNAPSHOT_PAGE, "Section"), snapshot.SECTION_FIELDS);
  const { magic } = snapshot.SNAPSHOT_FORMAT;
  assert.ok(SNAPSHOT_PAGE.includes(`\`${magic}\``));
  const hex = snapshot.MAGIC.toString(16).toUpperCase();
  assert.ok(SNAPSHOT_PAGE.includes(`0x${hex}`));
});

Deno.test("fields of records and sections lie one behind the other", () => {
  for (
    const [fields, bytes] of [
      [wal.RECORD_FIELDS, wal.RECORD_HEADER_BYTES],
      [snapshot.SECTION_FIELDS, snapshot.SECTION_HEADER_BYTES],
    ] as const
  ) {
    for (const [i, field] of fields.entries()) {
      assert.equal(field.at + field.bytes, fields[i + 1]?.at ?? bytes);
    }
  }
  const at = Object.fromEntries(wal.RECORD_FIELDS.map((f) => [f.name, f.at]));
  assert.deepEqual(at, {
    crc: wal.RECORD_CRC,
    magic: wal.RECORD_MAGIC,
    payloadBytes: wal.RECORD_PAYLOAD_BYTES,
    kind: wal.RECORD_KIND,
  });
});
