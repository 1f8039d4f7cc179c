import assert from "node:assert/strict";
import {
  DictionaryWriter,
  readDictionary,
  type SeriesEntry,
} from "./series_dictionary.ts";
import { RECORD_HEADER_BYTES, RECORD_PAYLOAD_GOAL } from "./wal_format.ts";

function entryOf(i: number): SeriesEntry {
  return {
    instance: i % 3 === 0 ? "team" : "",
    cluster: "emmy",
    host: `f${Math.floor(i / 10)}`,
    type: i % 10 === 0 ? "" : "hwthread",
    typeId: i % 10 === 0 ? "" : String(i % 10),
    subtype: "",
    subtypeId: "",
    metric: `metric-ß-${i % 7}`,
    frequencySec: 60 + i % 2,
  };
}

/** Payloads of records one behind the other. */
function payloadsOf(records: Uint8Array): Uint8Array[] {
  const view = new DataView(records.buffer, records.byteOffset);
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < records.length;) {
    const end = at + RECORD_HEADER_BYTES + view.getUint32(at + 8, true);
    payloads.push(records.slice(at + RECORD_HEADER_BYTES, end));
    at = end;
  }
  return payloads;
}

Deno.test("readDictionary() reads what DictionaryWriter wrote, over several records", () => {
  const writer = new DictionaryWriter();
  const count = 10_000;
  for (let i = 0; i < count; i++) writer.add(500 + i, entryOf(i));
  const payloads = payloadsOf(writer.finish());
  assert.ok(payloads.length > 2);
  let next = 0;
  for (const payload of payloads) {
    assert.ok(payload.length < RECORD_PAYLOAD_GOAL + 300);
    const isOk = readDictionary(payload, (id, entry) => {
      assert.equal(id, 500 + next);
      assert.deepEqual(entry, entryOf(next++));
    });
    assert.equal(isOk, true);
  }
  assert.equal(next, count);
});

Deno.test("readDictionary() reports every payload that was cut short", () => {
  const writer = new DictionaryWriter();
  for (let i = 0; i < 5; i++) writer.add(i, entryOf(i));
  const [payload] = payloadsOf(writer.finish());
  let last = payload!.length;
  while (payload![last - 1] === 0) last--;
  for (let length = 0; length < last; length++) {
    let count = 0;
    const isOk = readDictionary(payload!.subarray(0, length), () => count++);
    // Without its count a payload names nothing.
    if (length >= 8) assert.equal(isOk, false, `cut to ${length}`);
    assert.ok(count < 5);
  }
});

Deno.test("DictionaryWriter.clear() begins anew, without what came before", () => {
  const writer = new DictionaryWriter();
  writer.add(0, entryOf(1));
  writer.clear();
  assert.equal(writer.isEmpty, true);
  writer.add(7, entryOf(1));
  const ids: number[] = [];
  const [payload] = payloadsOf(writer.finish());
  assert.equal(readDictionary(payload!, (id) => ids.push(id)), true);
  assert.deepEqual(ids, [7]);
});
