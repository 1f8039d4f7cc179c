import assert from "node:assert/strict";
import { KIND, RECORD_PAYLOAD_MAX } from "./wal_format.ts";
import {
  decodeFree,
  decodeFreeSeries,
  decodeMark,
  encodeFree,
  encodeFreeSeries,
  encodeMark,
} from "./wal_records.ts";

Deno.test("KIND keeps its numbers for ever", () => {
  assert.deepEqual({ ...KIND }, {
    SERIES: 1,
    SAMPLES: 2,
    FREE: 3,
    MARK: 4,
    FREE_SERIES: 5,
    WHOLE: 6,
  });
  assert.equal(RECORD_PAYLOAD_MAX, 1 << 20);
});

Deno.test("decodeFree() reads what encodeFree() wrote", () => {
  for (const path of [[], ["c"], ["c", "h-ß", "core1", "fs/x"]]) {
    const record = { instance: "team", path, toSec: 1.7e9 };
    const payload = encodeFree(record);
    assert.equal(payload.length % 8, 0);
    assert.deepEqual(decodeFree(payload), record);
    assert.equal(decodeFree(payload.subarray(0, 13)), undefined);
  }
});

Deno.test("decodeFreeSeries() reads what encodeFreeSeries() wrote", () => {
  for (const metrics of [[], ["m"], ["cpu_load", "ü"]]) {
    const path = ["c", "h-ß", "core1", "fs/x"];
    const record = { instance: "team", path, metrics, toSec: 1.7e9 };
    const payload = encodeFreeSeries(record);
    assert.equal(payload.length % 8, 0);
    assert.deepEqual(decodeFreeSeries(payload), record);
    assert.equal(decodeFreeSeries(payload.subarray(0, 21)), undefined);
  }
});

Deno.test("decodeMark() reads what encodeMark() wrote", () => {
  for (const value of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const payload = encodeMark({ key: "jetstream/a", value });
    assert.equal(payload.length % 8, 0);
    assert.deepEqual(decodeMark(payload), { key: "jetstream/a", value });
  }
  assert.throws(() => encodeMark({ key: "k", value: -1 }), /BUG/);
  assert.throws(() => encodeMark({ key: "k", value: 2 ** 53 }), /BUG/);
  assert.equal(decodeMark(new Uint8Array(8).fill(255)), undefined);
});
