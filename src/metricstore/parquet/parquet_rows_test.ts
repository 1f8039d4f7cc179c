import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { ParquetRows, type SeriesRows } from "./parquet_rows.ts";

function series(
  metric: string,
  scope: string,
  scopeId: string,
  timesSec: number[],
  parent?: { scope: string; scopeId: string },
): SeriesRows {
  const values = timesSec.map((time) => time / 3);
  const above = parent === undefined ? {} : { parent };
  return {
    metric,
    scope,
    scopeId,
    ...above,
    frequencySec: 60,
    timesSec,
    values,
  };
}

async function write(
  hosts: readonly (readonly [string, readonly SeriesRows[]])[],
  groupRowsMax?: number,
) {
  const pieces: Uint8Array[] = [];
  const rows = new ParquetRows({
    cluster: "c",
    sink: (bytes) => pieces.push(bytes),
    ...(groupRowsMax === undefined ? {} : { groupRowsMax }),
  });
  for (const [host, all] of hosts) rows.add(host, all);
  rows.finish();
  const whole = Buffer.concat(pieces);
  const file = new Uint8Array(whole).buffer;
  const compressors = {
    ZSTD: (input: Uint8Array) => zstdDecompressSync(input),
  };
  return {
    count: rows.rows,
    metadata: parquetMetadata(file),
    rows: await parquetReadObjects({ file, compressors }),
    pieces,
  };
}

Deno.test("ParquetRows.add() sorts the series of a host and keeps every value", async () => {
  const fs = { scope: "socket", scopeId: "1" };
  const { rows, metadata } = await write([
    ["h1", [
      series("m", "socket", "1", [60, 120]),
      series("m", "fs/x", "", [60], { ...fs, scopeId: "2" }),
      series("m", "fs/x", "", [120], fs),
      series("m", "node", "", [0.5 * 1e10]),
      series("a", "socket", "0", [-60]),
    ]],
    ["h2", [series("a", "node", "", [])]],
    ["h3", [series("a", "node", "", [60])]],
  ]);
  const row = (
    hostname: string,
    metric: string,
    scope: [string, string, string | null, string | null],
    time: number,
  ) => ({
    cluster: "c",
    hostname,
    metric,
    scope: scope[0],
    scope_id: scope[1],
    parent_scope: scope[2],
    parent_scope_id: scope[3],
    timestamp: BigInt(time),
    frequency: 60n,
    value: time / 3,
  });
  assert.deepEqual(rows.map((one) => ({ ...one })), [
    row("h1", "a", ["socket", "0", null, null], -60),
    row("h1", "m", ["fs/x", "", "socket", "1"], 120),
    row("h1", "m", ["fs/x", "", "socket", "2"], 60),
    row("h1", "m", ["node", "", null, null], 5e9),
    row("h1", "m", ["socket", "1", null, null], 60),
    row("h1", "m", ["socket", "1", null, null], 120),
    row("h3", "a", ["node", "", null, null], 60),
  ]);
  assert.equal(metadata.row_groups.length, 2);
  const codecs = metadata.row_groups.flatMap(({ columns }) =>
    columns.map(({ meta_data }) => meta_data?.codec)
  );
  assert.deepEqual(new Set(codecs), new Set(["ZSTD"]));
  const types = metadata.schema.slice(1).map((
    { name, type, repetition_type },
  ) => `${name} ${type} ${repetition_type}`);
  assert.ok(types.includes("timestamp INT64 REQUIRED"));
  assert.ok(types.includes("value DOUBLE REQUIRED"));
  assert.ok(types.includes("parent_scope BYTE_ARRAY OPTIONAL"));
});

Deno.test("ParquetRows.add() cuts large hosts into bounded row groups", async () => {
  const times = Array.from({ length: 25 }, (_, i) => i * 60);
  const all = ["a", "b"].map((metric) => series(metric, "node", "", times));
  const { rows, metadata, count, pieces } = await write([["h", all]], 10);
  assert.equal(count, 50);
  assert.deepEqual(
    metadata.row_groups.map(({ num_rows }) => num_rows),
    [10n, 10n, 10n, 10n, 10n],
  );
  assert.deepEqual(
    rows.map((row) => Number(row["timestamp"])),
    [...times, ...times],
  );
  assert.ok(pieces.length >= 5);
});

Deno.test("ParquetRows.finish() makes a good file of no rows", async () => {
  const { rows, count } = await write([]);
  assert.equal(count, 0);
  assert.deepEqual(rows, []);
});

Deno.test("ParquetRows.add() refuses hosts that are out of order", async () => {
  await assert.rejects(write([["b", []], ["a", []]]), /BUG: host a must not/);
});

Deno.test("ParquetRows.add() keeps the sign of a zero", async () => {
  const zeros = {
    ...series("m", "node", "", [60, 120, 180]),
    values: Float64Array.of(-0, 0, -0),
  };
  const { rows } = await write([["h", [zeros]]]);
  assert.deepEqual(
    rows.map(({ value }) => Object.is(value, -0)),
    [true, false, true],
  );
});
