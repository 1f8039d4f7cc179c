import assert from "node:assert/strict";
import { ClientError } from "../../base/errors.ts";
import { metricsOf } from "../data/job_data.ts";
import { DENO_FILES } from "../../metricstore/persist/files.ts";
import { inDirectory, someData } from "./_archive_fixture.ts";
import { DataFileWriter, dataPath, readDataFile } from "./data_file.ts";

async function write(writer: DataFileWriter, steps: number): Promise<void> {
  for (const metric of metricsOf(someData(steps))) await writer.add(metric);
  await writer.finish();
}

Deno.test("DataFileWriter refuses a text beyond its bound and leaves nothing of it", () =>
  inDirectory(async (root) => {
    await write(new DataFileWriter(DENO_FILES, root), 3);
    const writer = new DataFileWriter(DENO_FILES, root, 500_000);
    await assert.rejects(
      write(writer, 20_000),
      (error) =>
        error instanceof ClientError && error.code === "E_TOO_MANY_SAMPLES",
    );
    writer.abort();
    assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name), [
      "data.json",
    ]);
  }));

Deno.test("readDataFile() passes on what its taker throws, and calls a bad file bad", () =>
  inDirectory(async (root) => {
    await write(new DataFileWriter(DENO_FILES, root), 20_000);
    const path = dataPath(root)!;
    assert.ok(path.endsWith(".gz"));
    const mine = new Error("mine");
    await assert.rejects(
      readDataFile(path, false, () => {
        throw mine;
      }),
      (error) => error === mine,
    );
    const bytes = Deno.readFileSync(path);
    for (const length of [bytes.length >> 1, bytes.length - 4, 5]) {
      Deno.writeFileSync(path, bytes.subarray(0, length));
      await assert.rejects(
        readDataFile(path, false, () => {}),
        /metrics of the job are not readable/,
      );
    }
  }));
