import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { ByteReader, ByteWriter, TEXT_BYTES_MAX } from "./byte_text.ts";

Deno.test("ByteReader reads what ByteWriter wrote", () => {
  const writer = new ByteWriter();
  const texts = ["", "a", "ß 日本 🙂", "x".repeat(TEXT_BYTES_MAX)];
  writer.u16(65535);
  for (const text of texts) writer.text(text);
  writer.u32(4294967295);
  writer.f64(-0.1);
  writer.align();
  assert.equal(writer.length % 8, 0);
  const reader = new ByteReader(writer.bytes);
  assert.equal(reader.u16(), 65535);
  for (const text of texts) assert.equal(reader.text(), text);
  assert.equal(reader.u32(), 4294967295);
  assert.equal(reader.f64(), -0.1);
  assert.equal(reader.isOk, true);
});

Deno.test("ByteReader remembers that it read past the end", () => {
  const reader = new ByteReader(Uint8Array.of(9, 0, 65));
  assert.equal(reader.text(), "");
  assert.equal(reader.isOk, false);
  assert.equal(new ByteReader(new Uint8Array(3)).f64(), 0);
  assert.equal(reader.u32(), 0);
});

Deno.test("ByteWriter.text() refuses a text that is too long", () => {
  const writer = new ByteWriter();
  assert.throws(() => writer.text("x".repeat(TEXT_BYTES_MAX + 1)), /BUG/);
});

Deno.test("ByteWriter.clear() gives a large buffer back and works on", () => {
  const writer = new ByteWriter();
  writer.skip(3 << 20);
  writer.clear();
  writer.text("again");
  assert.equal(new ByteReader(writer.bytes).text(), "again");
  assert.ok(writer.view.byteLength < 1 << 20);
});

Deno.test("ByteWriter grows at every place without losing what was being written", () => {
  for (let padding = 0; padding < 40; padding++) {
    const writer = new ByteWriter();
    const words: number[] = [];
    writer.skip(padding);
    for (let i = 0; i < 20_000; i++) {
      writer.u32(i);
      writer.f64(i / 3);
      writer.u16(i & 0xffff);
      words.push(i);
    }
    const reader = new ByteReader(writer.bytes.slice());
    reader.raw(padding);
    for (const i of words) {
      assert.equal(reader.u32(), i);
      assert.equal(reader.f64(), i / 3);
      assert.equal(reader.u16(), i & 0xffff);
    }
    assert.ok(reader.isOk && reader.isAtEnd);
  }
});

Deno.test("texts of any letters and lengths come back as they were written, between numbers", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 100 }),
    fc.string({ maxLength: 40 }),
    fc.constantFrom("", "\ufeffmark", "f0001", "ü", "a".repeat(31) + "ü"),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
      const writer = new ByteWriter();
      for (const one of texts) {
        writer.text(one);
        writer.u16(one.length);
      }
      const reader = new ByteReader(writer.bytes);
      for (const one of texts) {
        assert.equal(reader.text(), one);
        assert.equal(reader.u16(), one.length);
      }
      assert.ok(reader.isAtEnd && reader.isOk);
    }),
    { numRuns: fuzzRuns(200) },
  );
});
