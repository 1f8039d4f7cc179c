import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../engine/data_scope.ts";
import { FakeEngine } from "../../tests/http/fake_engine.ts";
import { groupLength, ownBytes, writeMessages } from "./message_batch.ts";

const ENCODER = new TextEncoder();
const message = (text: string) => ({
  subject: "s",
  data: ENCODER.encode(text),
});

Deno.test("groupLength() keeps a message with a string to itself", () => {
  const [plain, string] = [message("a b=1"), message('a b="x')];
  assert.equal(groupLength([]), 0);
  assert.equal(groupLength([plain, plain, string, plain]), 2);
  assert.equal(groupLength([string, plain]), 1);
});

Deno.test("groupLength() ends a batch before it exceeds a mebibyte", () => {
  const third = { subject: "s", data: new Uint8Array(400_000) };
  assert.equal(groupLength([third, third, third]), 2);
  const large = { subject: "s", data: new Uint8Array(2 << 20) };
  assert.equal(groupLength([large, third]), 1);
});

Deno.test("writeMessages() ends every message with a line break", async () => {
  const engine = new FakeEngine();
  await writeMessages(
    engine,
    { scope: DEFAULT_SCOPE, defaultCluster: "c" },
    [message("a"), message("b\n"), message(""), message("c")],
  );
  assert.deepEqual(engine.batches.map(({ text }) => text), ["a\nb\n\nc\n"]);
});

Deno.test("ownBytes() copies what would keep a much larger buffer alive", () => {
  const buffer = new Uint8Array(1000);
  assert.equal(ownBytes(buffer.subarray(0, 500)).buffer, buffer.buffer);
  const copied = ownBytes(buffer.subarray(0, 100));
  assert.equal(copied.buffer.byteLength, 100);
});
