import assert from "node:assert/strict";
import {
  placeRealJob,
  REAL_JOB_PLACE,
} from "../../../tests/support/real_job_archive.ts";
import { ClientError, type ErrorCode } from "../../base/errors.ts";
import {
  type JobData,
  type JobMetricByScope,
  metricsOf,
} from "../data/job_data.ts";
import { inDirectory, JOB, META, someData } from "./_archive_fixture.ts";
import { JobArchiveError } from "./archive_error.ts";
import { jobDirectory, type JobPlace } from "./archive_layout.ts";
import type { DataSelection } from "./data_file.ts";
import { JobArchiveClient } from "./job_archive_client.ts";
import type { JobMeta } from "./job_meta.ts";

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

function write(
  client: JobArchiveClient,
  meta: JobMeta,
  data: JobData,
): Promise<void> {
  return client.write(meta.job, metricsOf(data), () => meta);
}

async function read(
  client: JobArchiveClient,
  place: JobPlace,
  selection: DataSelection = { scopes: [] },
): Promise<JobData> {
  const data = new Map<string, JobMetricByScope>();
  for await (const { name, scopes } of client.readMetrics(place, selection)) {
    data.set(name, scopes);
  }
  return data;
}

function hasCode(code: ErrorCode) {
  return (error: unknown) =>
    error instanceof ClientError && error.code === code;
}

Deno.test("JobArchiveClient writes and reads through its threads", () =>
  withClient(async (client, root) => {
    const data = someData(500);
    await write(client, META, data);
    // The arrays were handed over, not copied.
    const [node] = data.get("cpu_load")?.values() ?? [];
    assert.equal(node?.series[0]?.data.length, 0);
    assert.deepEqual(await client.readMeta(JOB), META);
    assert.deepEqual(await read(client, JOB), someData(500));
    assert.ok(await client.editMeta(JOB, { tags: [] }));
    assert.deepEqual((await client.readMeta(JOB)).tags, []);
    assert.ok(await client.copyTo(`${root}/.target`, JOB));
    assert.ok(await client.remove(JOB));
    assert.equal(await client.remove(JOB), false);
    assert.equal(await client.editMeta(JOB, { tags: [] }), false);
    await assert.rejects(read(client, JOB), hasCode("E_NOT_FOUND"));
  }));

Deno.test("JobArchiveClient writes series without samples, which share an empty array, again and again", () =>
  withClient(async (client) => {
    const nothing = new Float64Array(0);
    const statistics = { min: 0, avg: 0, max: 0 };
    const metric = {
      unit: { base: "" },
      timestep: 60,
      series: ["a0101", "a0102"].map((hostname) => ({
        ...{ hostname, statistics, data: nothing },
      })),
    };
    const data: JobData = new Map(
      ["cpu_load", "flops_any"].map((name) => [
        name,
        new Map([["node" as const, metric]]),
      ]),
    );
    for (let round = 0; round < 2; round++) {
      await write(client, META, data);
      const stored = await read(client, JOB);
      assert.deepEqual([...stored.keys()], ["cpu_load", "flops_any"]);
    }
  }));

Deno.test("JobArchiveClient.readMetrics() gives what was selected, metric by metric, several at a time", () =>
  withClient(async (client) => {
    await write(client, META, someData(500));
    const names = (data: JobData) =>
      [...data].map(([name, scopes]) => [name, [...scopes.keys()]]);
    const [all, cores, one] = await Promise.all([
      read(client, JOB),
      read(client, JOB, { scopes: ["core"] }),
      read(client, JOB, { metrics: ["flops_any", "nope"], scopes: [] }),
    ]);
    assert.deepEqual(names(all), [
      ["cpu_load", ["node"]],
      ["flops_any", ["core", "node"]],
    ]);
    assert.deepEqual(names(cores), [
      ["cpu_load", ["node"]],
      ["flops_any", ["core"]],
    ]);
    assert.deepEqual(names(one), [["flops_any", ["core", "node"]]]);
    // Who has enough leaves nothing behind that others would wait for.
    for await (const { name } of client.readMetrics(JOB, { scopes: [] })) {
      assert.equal(name, "cpu_load");
      break;
    }
    assert.deepEqual(await read(client, JOB), someData(500));
  }));

Deno.test("JobArchiveClient.write() leaves nothing of a job whose metrics fail on the way", () =>
  withClient(async (client, root) => {
    async function* failing() {
      yield* metricsOf(someData(500));
      await Promise.reject(new Error("the store is gone"));
    }
    await assert.rejects(
      client.write(JOB, failing(), () => META),
      /the store is gone/,
    );
    assert.deepEqual([...Deno.readDirSync(jobDirectory(root, JOB))], []);
    await write(client, META, someData(500));
    assert.deepEqual(await read(client, JOB), someData(500));
  }));

Deno.test("JobArchiveClient.readStatistics() leaves a bad file's job without", () =>
  withClient(async (client, root) => {
    await write(client, META, someData(3));
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
      read(client, REAL_JOB_PLACE),
      (error) => error instanceof JobArchiveError && error.path === path,
    );
  }));

Deno.test("JobArchiveClient makes writes wait and refuses what is too many", () =>
  withClient(async (client, root) => {
    const writes = Array.from({ length: 140 }, (_, i) => {
      const job = { ...JOB, jobId: i + 1 };
      return write(client, { ...META, job }, someData(3));
    });
    const results = await Promise.allSettled(writes);
    const refused = results.filter((one) => one.status === "rejected");
    assert.equal(refused.length, 140 - 4 - 128);
    assert.ok(refused.every((one) => hasCode("E_OVERLOAD")(one.reason)));
    for (let jobId = 1; jobId <= 132; jobId++) {
      Deno.statSync(`${jobDirectory(root, { ...JOB, jobId })}/meta.json`);
    }
    // There is room again.
    await write(client, META, someData(3));
  }));

Deno.test("JobArchiveClient.close() finishes what waits", () =>
  withClient(async (client, root) => {
    const writes = Array.from({ length: 20 }, (_, i) => {
      const job = { ...JOB, jobId: i + 1 };
      return write(client, { ...META, job }, someData(500));
    });
    await client.close();
    await Promise.all(writes);
    Deno.statSync(`${jobDirectory(root, { ...JOB, jobId: 20 })}/meta.json`);
    await assert.rejects(client.readMeta(JOB), hasCode("E_NOT_READY"));
    await assert.rejects(
      write(client, META, someData(3)),
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
      write(client, META, someData(3)),
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
        await assert.rejects(write(client, META, someData(3)));
        await assert.rejects(client.readMeta(JOB));
      }
      Deno.removeSync(place);
      await write(client, META, someData(3));
      assert.deepEqual(await client.readMeta(JOB), META);
    } finally {
      await client.close();
    }
    await assert.rejects(client.readMeta(JOB), hasCode("E_NOT_READY"));
  }));
