import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readBinCheckpoint } from "./bin_checkpoint.ts";
import { CheckpointError } from "./checkpoint.ts";
import { findCheckpoints } from "./checkpoint_files.ts";
import { readJsonCheckpoint } from "./json_checkpoint.ts";

const GOLDEN = new URL(
  "../../../tests/testdata/golden/checkpoints/",
  import.meta.url,
);

/** The file that the description of the format spells out, in both formats. */
const JSON_TEXT = `{"metrics":{"m60":{"frequency":60,"start":1000,
  "data":[1.0,2.0,null,4.0]}},"children":{"socket0":{"metrics":{},"children":
  {"fs1":{"metrics":{"m60":{"frequency":60,"start":1000,"data":[5.0]}},
  "children":{},"from":900,"to":1500}},"from":900,"to":1500}},
  "from":900,"to":1500}`;

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length, 0]), Buffer.from(value)]);
}

function floats(...values: number[]): Buffer {
  return Buffer.concat([
    uint32(values.length),
    Buffer.from(new Float32Array(values).buffer),
  ]);
}

const M60 = [text("m60"), int64(60), int64(1000)];
const BIN = Buffer.concat([
  ...[uint32(0xcc5b0001), int64(900), int64(1500)],
  ...[uint32(1), ...M60, floats(1, 2, NaN, 4)],
  ...[uint32(1), text("socket0"), uint32(0)],
  ...[uint32(1), text("fs1"), uint32(1), ...M60, floats(5), uint32(0)],
]);

const m60 = (levels: string[], values: (number | null)[]) => ({
  levels,
  metric: "m60",
  frequencySec: 60,
  startSec: 1000,
  values,
});

Deno.test("readJsonCheckpoint() finds the series of all levels", () => {
  assert.deepEqual(readJsonCheckpoint(JSON_TEXT), [
    m60([], [1, 2, null, 4]),
    m60(["socket0", "fs1"], [5]),
  ]);
  assert.deepEqual(readJsonCheckpoint("{}"), []);
});

Deno.test("readJsonCheckpoint() names the place of what is wrong", () => {
  const series = `"m":{"frequency":0,"start":1,"data":[]}`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /^no JSON: /],
    ["[]", /^an object expected$/],
    [`{"metrics":[]}`, /^metrics: an object expected$/],
    [`{"children":{"a":{"metrics":{${series}}}}}`, /^a\/m: frequency, start/],
    [`{"metrics":{"m":{"frequency":1,"start":1,"data":["1"]}}}`, /^m: freq/],
  ];
  for (const [json, message] of cases) {
    assert.throws(
      () => readJsonCheckpoint(json),
      (error) =>
        error instanceof CheckpointError && message.test(error.message),
      json,
    );
  }
});

Deno.test("readBinCheckpoint() finds the series of all levels", () => {
  const series = readBinCheckpoint(BIN).map((one) => ({
    ...one,
    values: Array.from(one.values),
  }));
  assert.deepEqual(series, [
    m60([], [1, 2, NaN, 4]),
    m60(["socket0", "fs1"], [5]),
  ]);
});

Deno.test("readBinCheckpoint() refuses a file cut anywhere, or with more behind", () => {
  for (let length = 0; length < BIN.length; length++) {
    assert.throws(
      () => readBinCheckpoint(BIN.subarray(0, length)),
      CheckpointError,
      `${length} bytes`,
    );
  }
  assert.throws(
    () => readBinCheckpoint(Buffer.concat([BIN, uint32(0)])),
    /4 bytes behind/,
  );
});

Deno.test("readBinCheckpoint() survives any flipped bit", () => {
  const bytes = Deno.readFileSync(
    new URL("bin/alex/a0101/1795225068.bin", GOLDEN),
  );
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    try {
      readBinCheckpoint(damaged);
    } catch (error) {
      assert.ok(error instanceof CheckpointError, `bit ${bit}: ${error}`);
    }
  }
});

Deno.test("findCheckpoints() orders files by their windows, the log last", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const host = `${directory}/c/h`;
    await Deno.mkdir(host, { recursive: true });
    await Deno.mkdir(`${directory}/ringstore`);
    await Deno.mkdir(`${directory}/other/h`, { recursive: true });
    const names = [
      "current.wal",
      "10000.json",
      "9000.bin",
      "9000.json",
      "x.avro",
    ];
    for (const name of names) await Deno.writeTextFile(`${host}/${name}`, name);
    await Deno.writeTextFile(`${directory}/1.parquet`, "");
    await Deno.writeTextFile(`${directory}/other/h/1.json`, "");
    await Deno.symlink("gone", `${directory}/dangling`);
    const { hosts, skipped } = findCheckpoints(`${directory}/`, "c");
    assert.deepEqual(
      hosts.map((one) => [
        one.cluster,
        one.host,
        one.files.map((
          { path, bytes },
        ) => [path.slice(host.length + 1), bytes]),
      ]),
      [["c", "h", [
        ["9000.bin", 8],
        ["9000.json", 9],
        ["10000.json", 10],
        ["current.wal", 11],
      ]]],
    );
    assert.deepEqual(
      skipped.map(({ path, why }) => [path.slice(directory.length + 1), why]),
      [
        ["1.parquet", "archive, not a checkpoint"],
        ["c/h/x.avro", "archive, not a checkpoint"],
        ["ringstore", "files of this program"],
      ],
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
