import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DEFAULT_SCOPE } from "../metricstore/engine/data_scope.ts";
import { FakeEngine } from "../../tests/http/fake_engine.ts";
import {
  groupLength,
  ownMessage,
  releaseMessages,
  writeMessages,
} from "./message_batch.ts";

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

Deno.test("groupLength() finds a quotation mark wherever it is, and nothing else", () => {
  for (let length = 1; length < 12; length++) {
    for (let at = 0; at < length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const data = new Uint8Array(length).fill(0xa3);
        data[at] = byte;
        const messages = [{ subject: "s", data }, message("a")];
        assert.equal(groupLength(messages), byte === 0x22 ? 1 : 2);
      }
    }
  }
});

Deno.test("groupLength() ends a batch before it exceeds a mebibyte", () => {
  const third = { subject: "s", data: new Uint8Array(400_000) };
  assert.equal(groupLength([third, third, third]), 2);
  const large = { subject: "s", data: new Uint8Array(2 << 20) };
  assert.equal(groupLength([large, third]), 1);
});

Deno.test("writeMessages() ends every message with a line break, and leaves byte order marks out", async () => {
  const engine = new FakeEngine();
  await writeMessages(
    engine,
    { scope: DEFAULT_SCOPE, defaultCluster: "c" },
    [message("\ufeffa"), message("b\n"), message(""), message("\ufeffc")],
  );
  assert.deepEqual(engine.batches.map(({ text }) => text), ["a\nb\n\nc\n"]);
});

Deno.test("releaseMessages() empties messages, and not the memory that they came from", () => {
  // What a socket reads is a Buffer, whose methods make views and not copies.
  const source = Buffer.of(1, 2, 3, 4);
  const own = ownMessage("s", source.subarray(1, 3));
  assert.deepEqual(own.data, Uint8Array.of(2, 3));
  releaseMessages([own]);
  assert.equal(own.data.length, 0);
  assert.deepEqual([...source], [1, 2, 3, 4]);
});
