import assert from "node:assert/strict";
import {
  placeRealJob,
  REAL_JOB_PLACE,
} from "../../tests/support/real_job_archive.ts";
import { ClientError, type ErrorCode } from "../errors.ts";
import { inDirectory, JOB, META, someData } from "./_archive_fixture.ts";
import { JobArchiveError } from "./archive_error.ts";
import { jobDirectory } from "./archive_layout.ts";
import { JobArchiveClient } from "./job_archive_client.ts";

async function withClient(
  use: (client: JobArchiveClient, root: string) => Promise<void>,
): Promise<void> {
  await inDirectory(async (root) => {
    placeRealJob(root);
    const client = await JobArchiveClient.open({ root, validate: false });
    try {
      await use(client, root);
    } finally {
      client.end();
    }
  });
}

function hasCode(code: ErrorCode) {
  return (error: unknown) =>
    error instanceof ClientError && error.code === code;
}

Deno.test("JobArchiveClient writes and reads through its threads", () =>
  withClient(async (client, root) => {
    const data = someData(500);
    await client.write(META, data);
    // The arrays were handed over, not copied.
    const [node] = data.get("cpu_load")?.values() ?? [];
    assert.equal(node?.series[0]?.data.length, 0);
    assert.deepEqual(await client.readMeta(JOB), META);
    assert.deepEqual(await client.readData(JOB), someData(500));
    assert.ok(await client.editMeta(JOB, { tags: [] }));
    assert.deepEqual((await client.readMeta(JOB)).tags, []);
    assert.ok(await client.copyTo(`${root}/.target`, JOB));
    assert.ok(await client.remove(JOB));
    assert.equal(await client.remove(JOB), false);
    assert.equal(await client.editMeta(JOB, { tags: [] }), false);
    await assert.rejects(client.readData(JOB), hasCode("E_NOT_FOUND"));
  }));

Deno.test("JobArchiveClient.readStatistics() leaves a bad file's job without", () =>
  withClient(async (client, root) => {
    await client.write(META, someData(3));
    Deno.writeTextFileSync(`${jobDirectory(root, JOB)}/meta.json`, "{");
    const [good, bad, none] = await client.readStatistics([
      REAL_JOB_PLACE,
      JOB,
      { ...JOB, jobId: 1 },
    ]);
    assert.equal(good?.statistics?.["cpu_load"]?.max, 23.58);
    assert.ok(bad?.statistics === null && none?.statistics === null);
    assert.match(bad.reason, /meta\.json: .*not readable/);
    assert.match(none.reason, /not in the archive/);
    assert.deepEqual(await client.readStatistics([]), []);
    const many = Array.from({ length: 1100 }, () => REAL_JOB_PLACE);
    assert.equal((await client.readStatistics(many)).length, 1100);
  }));

Deno.test("JobArchiveClient passes on which file is bad", () =>
  withClient(async (client, root) => {
    const path = `${jobDirectory(root, REAL_JOB_PLACE)}/data.json.gz`;
    Deno.truncateSync(path, 100);
    await assert.rejects(
      client.readData(REAL_JOB_PLACE),
      (error) => error instanceof JobArchiveError && error.path === path,
    );
  }));

Deno.test("JobArchiveClient makes writes wait and refuses what is too many", () =>
  withClient(async (client, root) => {
    const writes = Array.from({ length: 140 }, (_, i) => {
      const job = { ...JOB, jobId: i + 1 };
      return client.write({ ...META, job }, someData(3));
    });
    const results = await Promise.allSettled(writes);
    const refused = results.filter((one) => one.status === "rejected");
    assert.equal(refused.length, 140 - 4 - 128);
    assert.ok(refused.every((one) => hasCode("E_OVERLOAD")(one.reason)));
    for (let jobId = 1; jobId <= 132; jobId++) {
      Deno.statSync(`${jobDirectory(root, { ...JOB, jobId })}/meta.json`);
    }
    // There is room again.
    await client.write(META, someData(3));
  }));

Deno.test("JobArchiveClient.close() finishes what waits", () =>
  withClient(async (client, root) => {
    const writes = Array.from({ length: 20 }, (_, i) => {
      const job = { ...JOB, jobId: i + 1 };
      return client.write({ ...META, job }, someData(500));
    });
    await client.close();
    await Promise.all(writes);
    Deno.statSync(`${jobDirectory(root, { ...JOB, jobId: 20 })}/meta.json`);
    await assert.rejects(client.readMeta(JOB), hasCode("E_NOT_READY"));
    await assert.rejects(
      client.write(META, someData(3)),
      hasCode("E_NOT_READY"),
    );
  }));

Deno.test("JobArchiveClient.compress() goes through the archive while others write", () =>
  withClient(async (client, root) => {
    const directory = jobDirectory(root, REAL_JOB_PLACE);
    for (let jobId = 1; jobId <= 250; jobId++) {
      const path = jobDirectory(root, { ...JOB, jobId, startTime: 5 });
      Deno.mkdirSync(path, { recursive: true });
      Deno.writeTextFileSync(
        `${path}/data.json`,
        `{"a":${" ".repeat(2000)}{}}`,
      );
    }
    Deno.writeTextFileSync(`${directory}/meta.json.tmp`, "");
    const [sum] = await Promise.all([
      client.compress(JOB.startTime),
      client.write(META, someData(3)),
    ]);
    assert.deepEqual(sum, { compressed: 250, removed: 1 });
    assert.deepEqual(await client.readMeta(JOB), META);
  }));

Deno.test("JobArchiveClient.open() refuses what is no archive", () =>
  inDirectory(async (root) => {
    Deno.writeTextFileSync(`${root}/version.txt`, "2\n");
    await assert.rejects(
      JobArchiveClient.open({ root, validate: false }),
      /got "2", expected 3/,
    );
  }));

Deno.test("JobArchiveClient opens its archive anew once the directory is good again", () =>
  inDirectory(async (root) => {
    const place = `${root}/archive`;
    // No archive can be made where a file is.
    Deno.writeTextFileSync(place, "");
    const client = new JobArchiveClient({ root: place, validate: false });
    try {
      for (let i = 0; i < 2; i++) {
        await assert.rejects(client.write(META, someData(3)));
        await assert.rejects(client.readMeta(JOB));
      }
      Deno.removeSync(place);
      await client.write(META, someData(3));
      assert.deepEqual(await client.readMeta(JOB), META);
    } finally {
      await client.close();
    }
    await assert.rejects(client.readMeta(JOB), hasCode("E_NOT_READY"));
  }));
