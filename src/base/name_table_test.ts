import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../tests/support/fuzz_runs.ts";
import { NAME_BYTES_MAX, NameTable } from "./name_table.ts";

const ENCODER = new TextEncoder();

function strictTable(): { table: NameTable; decoded: () => number } {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let count = 0;
  const table = new NameTable((bytes) => {
    count++;
    return decoder.decode(bytes);
  });
  return { table, decoded: () => count };
}

Deno.test("NameTable.get() gives what decoding gives, for names that push each other out", () => {
  const names = fc.array(fc.string({ unit: "binary", maxLength: 80 }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(names, fc.nat(9), (list, offset) => {
      const { table } = strictTable();
      for (const name of [...list, ...list]) {
        const raw = ENCODER.encode(name);
        const bytes = new Uint8Array(offset + raw.length + 4);
        bytes.set(raw, offset);
        assert.equal(
          table.get(bytes, offset, offset + raw.length),
          new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw),
        );
      }
    }),
    { numRuns: fuzzRuns(100) },
  );
});

Deno.test("NameTable.get() decodes a name once, and long ones each time", () => {
  const { table, decoded } = strictTable();
  const short = ENCODER.encode("hwthread");
  const long = ENCODER.encode("x".repeat(NAME_BYTES_MAX + 1));
  for (let i = 0; i < 3; i++) table.get(short, 0, short.length);
  assert.equal(decoded(), 1);
  for (let i = 0; i < 3; i++) table.get(long, 0, long.length);
  assert.equal(decoded(), 4);
});

Deno.test("NameTable.get() keeps nothing of a name that cannot be decoded", () => {
  const { table } = strictTable();
  const bad = Uint8Array.of(0xff, 0x41);
  for (let i = 0; i < 2; i++) {
    assert.throws(() => table.get(bad, 0, 2), TypeError);
  }
});
