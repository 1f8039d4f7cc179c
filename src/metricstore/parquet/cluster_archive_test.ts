import assert from "node:assert/strict";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import { ByteWriter } from "../persist/byte_text.ts";
import { StorageError } from "../persist/storage_error.ts";
import {
  BLOCK_SLACK,
  blockBytesMax,
  encodeBlock,
} from "../store/block_codec.ts";
import { ParquetError } from "./parquet_error.ts";
import { ParquetHandler } from "./parquet_handler.ts";
import { ClusterArchive } from "./cluster_archive.ts";

const SLOTS = 64;

/** One series of a whole page, slots at 1000, 1060, … */
function seriesBytes(): Uint8Array<ArrayBuffer> {
  const values = Float64Array.from({ length: SLOTS }, (_, i) => i / 7);
  const block = new DataView(
    new ArrayBuffer(blockBytesMax(SLOTS) + BLOCK_SLACK),
  );
  const length = encodeBlock(values, 0, SLOTS, block);
  const writer = new ByteWriter();
  for (const text of ["", "", "", "", "m"]) writer.text(text);
  writer.u32(60);
  writer.u32(1);
  writer.f64(1000);
  writer.u32(length);
  writer.raw(new Uint8Array(block.buffer, 0, length));
  return writer.bytes.slice();
}

function open(files: FaultFiles, toSec: number): ClusterArchive {
  const directory = "/d";
  const place = { directory, instance: "", cluster: "c" };
  return new ClusterArchive({ files, ...place, toSec, nowSec: 1e6 });
}

function writeAll(archive: ClusterArchive): number {
  for (const host of ["a", "b"]) {
    archive.addSeries(seriesBytes());
    archive.endHost(host);
  }
  return archive.finish();
}

Deno.test("ClusterArchive goes on where the newest file ends, and survives a power cut", () => {
  const files = new FaultFiles(1);
  const first = open(files, 1180);
  assert.equal(first.fromSec, -Infinity);
  assert.equal(writeAll(first), 2 * 3);
  files.cutPower();
  const second = open(files, 3000);
  assert.equal(second.fromSec, 1180);
  assert.equal(writeAll(second), 2 * 31);
  files.cutPower();
  assert.deepEqual(files.list("/d/c"), ["1180.parquet", "3000.parquet"]);
});

Deno.test("ClusterArchive leaves no file where there are no rows", () => {
  const files = new FaultFiles(1);
  const archive = open(files, 900);
  assert.equal(writeAll(archive), 0);
  assert.deepEqual(files.list("/d/c"), []);
});

Deno.test("ClusterArchive relies on no name that a power cut could take", () => {
  const files = new FaultFiles(1);
  const first = open(files, 1180);
  first.addSeries(seriesBytes());
  first.endHost("a");
  files.rates.syncDirectory = 1000;
  assert.throws(() => first.finish(), StorageError);
  // It has its name, and that may be gone tomorrow.
  assert.deepEqual(files.list("/d/c"), ["1180.parquet"]);
  assert.throws(() => open(files, 3000), StorageError);
  files.heal();
  assert.equal(open(files, 3000).fromSec, 1180);
  files.cutPower();
  assert.equal(open(files, 3000).fromSec, 1180);
});

Deno.test("ClusterArchive removes what a run that was killed left", () => {
  const files = new FaultFiles(1);
  files.put("/d/c/1180.parquet.tmp", new Uint8Array(3));
  files.put("/d/c/mine.tmp", new Uint8Array(3));
  open(files, 2000);
  assert.deepEqual(files.list("/d/c"), ["mine.tmp"]);
});

Deno.test("ArchiveDesk says why a file cannot be written and leaves nothing of it", () => {
  for (
    const spoil of [
      (files: FaultFiles) => files.capacityBytes = 100,
      (files: FaultFiles) => files.rates.create = 1000,
      (files: FaultFiles) => files.rates.sync = 1000,
      (files: FaultFiles) => files.rates.rename = 1000,
      (files: FaultFiles) => files.rates.syncDirectory = 1000,
    ]
  ) {
    const files = new FaultFiles(1);
    const handler = new ParquetHandler(files);
    const place = { directory: "/d", instance: "", cluster: "c" };
    const run = (toSec: number) => {
      handler.answer({ id: 1, name: "open", input: { ...place, toSec } });
      handler.answer({ id: 2, name: "addSeries", input: [seriesBytes()] });
      handler.answer({ id: 3, name: "endHost", input: "a" });
      return handler.answer({ id: 4, name: "finish", input: undefined });
    };
    spoil(files);
    assert.throws(() => run(2000), (failed) => {
      assert.ok(failed instanceof ParquetError);
      assert.match(failed.message, /cannot be/);
      assert.match(failed.path, /^\/d\/c/);
      return true;
    });
    assert.deepEqual(files.list("/d/c"), []);
    files.heal();
    assert.equal(run(2000), 17);
    assert.deepEqual(files.list("/d/c"), ["2000.parquet"]);
  }
});

Deno.test("ClusterArchive throws a StorageError", () => {
  const files = new FaultFiles(1);
  files.rates.create = 1000;
  assert.throws(() => writeAll(open(files, 2000)), StorageError);
});
