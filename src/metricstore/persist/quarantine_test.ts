import assert from "node:assert/strict";
import { FaultFiles } from "../../../tests/support/fault_files.ts";
import { segmentName, snapshotName } from "./filenames.ts";
import { trimQuarantine } from "./quarantine.ts";

const QUARANTINE = "/d/quarantine";

/** Ten bytes in each file. */
function filesWith(names: readonly string[]): FaultFiles {
  const files = new FaultFiles(1);
  for (const name of names) {
    const file = files.create(`${QUARANTINE}/${name}`);
    file.write(new Uint8Array(10));
    file.close();
  }
  return files;
}

Deno.test("trimQuarantine() removes the oldest files until number and bytes fit, and names them", () => {
  const names = [
    segmentName(2),
    segmentName(11),
    snapshotName(5),
    snapshotName(12),
    "stranger",
  ];
  const files = filesWith(names);
  assert.deepEqual(trimQuarantine(files, "/d", 5, 50), []);
  assert.deepEqual(trimQuarantine(files, "/d", 4, 50), [
    `${QUARANTINE}/stranger`,
  ]);
  assert.deepEqual(trimQuarantine(files, "/d", 4, 25), [
    `${QUARANTINE}/${snapshotName(5)}`,
    `${QUARANTINE}/${segmentName(2)}`,
  ]);
  assert.deepEqual(files.list(QUARANTINE), [snapshotName(12), segmentName(11)]);
});

Deno.test("trimQuarantine() keeps the newest file however large it is", () => {
  const files = filesWith([segmentName(1), segmentName(2)]);
  assert.deepEqual(trimQuarantine(files, "/d", 1, 1), [
    `${QUARANTINE}/${segmentName(1)}`,
  ]);
  assert.deepEqual(trimQuarantine(files, "/d", 1, 1), []);
});

Deno.test("trimQuarantine() has nothing to do where nothing was put aside", () => {
  assert.deepEqual(trimQuarantine(new FaultFiles(1), "/d"), []);
});
