import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import { readRealJob } from "../../../tests/support/real_job.ts";
import {
  placeRealJob,
  REAL_JOB_PLACE,
} from "../../../tests/support/real_job_archive.ts";
import { ClientError } from "../../base/errors.ts";
import { DENO_FILES, type Files } from "../../metricstore/persist/files.ts";
import { inDirectory, JOB, META, someData } from "./_archive_fixture.ts";
import { JobArchiveError } from "./archive_error.ts";
import { jobDirectory } from "./archive_layout.ts";
import { JobArchive, openJobArchive } from "./job_archive.ts";

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map((one) => one.name).sort();
}

function isNotFound(error: unknown): boolean {
  return error instanceof ClientError && error.code === "E_NOT_FOUND";
}

Deno.test("JobArchive reads a real job of upstream as it is", () =>
  inDirectory(async (root) => {
    placeRealJob(root);
    const archive = openJobArchive(root);
    const { job, tags, statistics } = archive.readMeta(REAL_JOB_PLACE);
    assert.equal(job.user, "emmyUser6");
    assert.equal(job.subCluster, "haswell");
    assert.equal(job.duration, 86486);
    assert.equal(job.walltime, 10);
    assert.equal(job.numNodes, 32);
    assert.equal(job.resources.length, 32);
    assert.equal(job.metaData, null);
    assert.deepEqual(tags, []);
    assert.equal(statistics["ipc"]?.max, 0.510204081632653);
    assert.deepEqual(statistics["mem_bw"]?.unit, {
      base: "B/s",
      prefix: "G",
    });

    const data = await archive.readData(REAL_JOB_PLACE);
    const recorded = readRealJob();
    assert.deepEqual([...data.keys()], recorded.metrics);
    for (const trace of recorded.traces) {
      const series = data.get(trace.metric)?.get("node")?.series
        .find((one) => one.hostname === trace.host);
      assert.ok(series !== undefined);
      assert.deepEqual(
        [
          ...Array<null>(series.leadingNulls ?? 0).fill(null),
          ...Array.from(series.data, (value) => isNaN(value) ? null : value),
        ],
        trace.values,
      );
    }
  }));

Deno.test("JobArchive checks files against the published schemas on request", () =>
  inDirectory(async (root) => {
    placeRealJob(root);
    const archive = openJobArchive(root, { validate: true });
    assert.equal(archive.readMeta(REAL_JOB_PLACE).job.numNodes, 32);
    // The record of this one metric has no statistics, which must be there.
    await assert.rejects(
      () => archive.readData(REAL_JOB_PLACE),
      (error) =>
        error instanceof JobArchiveError &&
        error.path.endsWith("data.json.gz") &&
        error.message.includes(
          "ipc.node.series.0: must have required property",
        ),
    );
    const path = `${jobDirectory(root, REAL_JOB_PLACE)}/meta.json`;
    const { statistics: _, ...without } = JSON.parse(
      Deno.readTextFileSync(path),
    );
    Deno.writeTextFileSync(path, JSON.stringify(without));
    assert.throws(() => archive.readMeta(REAL_JOB_PLACE), /'statistics'/);
    assert.deepEqual(
      openJobArchive(root).readMeta(REAL_JOB_PLACE).statistics,
      {},
    );
  }));

Deno.test("JobArchive.write() writes what readMeta() and readData() give back", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    for (const steps of [0, 3, 500]) {
      const data = someData(steps);
      await archive.write(META, data);
      assert.deepEqual(archive.readMeta(JOB), META);
      assert.deepEqual(await archive.readData(JOB), data);
    }
  }));

Deno.test("JobArchive.write() writes a real job so that it reads back equal", () =>
  inDirectory(async (root) => {
    placeRealJob(root);
    const archive = openJobArchive(root);
    const meta = archive.readMeta(REAL_JOB_PLACE);
    const data = await archive.readData(REAL_JOB_PLACE);
    const copy = openJobArchive(`${root}/.copy`, { validate: true });
    await copy.write(meta, data);
    assert.deepEqual(copy.readMeta(REAL_JOB_PLACE), meta);
    assert.deepEqual(await copy.readData(REAL_JOB_PLACE), data);
  }));

Deno.test("JobArchive.write() puts files where upstream has them", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    const directory = `${root}/alpha/398/759/1649723812`;
    assert.equal(jobDirectory(root, JOB), directory);
    await archive.write(META, someData(3));
    assert.deepEqual(namesIn(directory), ["data.json", "meta.json"]);
    // A longer one takes its place, compressed.
    await archive.write(META, someData(500));
    assert.deepEqual(namesIn(directory), ["data.json.gz", "meta.json"]);
    await archive.write(META, someData(3));
    assert.deepEqual(namesIn(directory), ["data.json", "meta.json"]);
  }));

Deno.test("JobArchive.write() leaves out what is null and what readers derive", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    const metric = someData(3).get("cpu_load")?.get("node");
    assert.ok(metric !== undefined);
    const statisticsSeries = {
      mean: null,
      median: Float64Array.of(1),
      min: Float64Array.of(NaN),
      max: Float64Array.of(1),
    };
    await archive.write(
      { ...META, job: { ...JOB, footprint: null, metaData: null }, tags: [] },
      new Map([["m", new Map([["node", { ...metric, statisticsSeries }]])]]),
    );
    const directory = jobDirectory(root, JOB);
    const meta = Deno.readTextFileSync(`${directory}/meta.json`);
    assert.ok(!meta.includes(":null"), meta);
    const data = JSON.parse(Deno.readTextFileSync(`${directory}/data.json`));
    assert.deepEqual(Object.keys(data.m.node), ["unit", "series", "timestep"]);
    assert.deepEqual(data.m.node.series[0].data, [0, 1 / 3, 2 / 3]);
  }));

Deno.test("JobArchive prefers the compressed data", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    await archive.write(META, someData(3));
    Deno.writeFileSync(
      `${jobDirectory(root, JOB)}/data.json.gz`,
      new Uint8Array(gzipSync("{}")),
    );
    assert.equal((await archive.readData(JOB)).size, 0);
  }));

Deno.test("JobArchive.editMeta() sets tags and merges metadata, keeping other keys", () =>
  inDirectory((root) => {
    placeRealJob(root);
    const archive = openJobArchive(root);
    const tags = [{ type: "t", name: "n", scope: "global" }];
    assert.ok(archive.editMeta(REAL_JOB_PLACE, { tags }));
    assert.ok(archive.editMeta(REAL_JOB_PLACE, { metaData: { a: "1" } }));
    assert.ok(archive.editMeta(REAL_JOB_PLACE, { metaData: { b: "2" } }));
    const { job, ...rest } = archive.readMeta(REAL_JOB_PLACE);
    assert.deepEqual(rest.tags, tags);
    assert.deepEqual(job.metaData, { a: "1", b: "2" });
    const path = `${jobDirectory(root, REAL_JOB_PLACE)}/meta.json`;
    assert.equal(JSON.parse(Deno.readTextFileSync(path)).stopTime, 1609009562);
    assert.ok(archive.editMeta(REAL_JOB_PLACE, { tags: [] }));
    assert.deepEqual(archive.readMeta(REAL_JOB_PLACE).tags, []);
  }));

Deno.test("JobArchive says what it does not have", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    assert.throws(() => archive.readMeta(JOB), isNotFound);
    await assert.rejects(() => archive.readData(JOB), isNotFound);
    assert.equal(archive.editMeta(JOB, { tags: [] }), false);
    assert.equal(archive.remove(JOB), false);
    assert.equal(archive.copyTo(archive, JOB), false);
  }));

Deno.test("JobArchive names the file it cannot read", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    await archive.write(META, someData(500));
    const directory = jobDirectory(root, JOB);
    for (const text of ["", "{", "[]", '{"jobId":1}']) {
      Deno.writeTextFileSync(`${directory}/meta.json`, text);
      assert.throws(
        () => archive.readMeta(JOB),
        (error) =>
          error instanceof JobArchiveError &&
          error.path === `${directory}/meta.json`,
        text,
      );
    }
    assert.throws(() => {
      Deno.writeTextFileSync(`${directory}/meta.json`, "[]");
      archive.editMeta(JOB, { tags: [] });
    }, JobArchiveError);
    const packed = Deno.readFileSync(`${directory}/data.json.gz`);
    for (const damaged of [packed.subarray(0, 50), new Uint8Array(10)]) {
      Deno.writeFileSync(`${directory}/data.json.gz`, damaged);
      await assert.rejects(() => archive.readData(JOB), JobArchiveError);
    }
  }));

Deno.test("JobArchive.remove() leaves nothing of the job and all of its neighbours", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    const neighbour = {
      ...META,
      job: { ...JOB, jobId: Number(JOB.jobId) + 1 },
    };
    await archive.write(META, someData(3));
    await archive.write(neighbour, someData(3));
    assert.ok(archive.remove(JOB));
    assert.deepEqual(namesIn(`${root}/alpha/398`), ["760"]);
    assert.ok(archive.remove(neighbour.job));
    assert.deepEqual(namesIn(`${root}/alpha`), []);
  }));

Deno.test("JobArchive.copyTo() makes an archive of its own", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(`${root}/one`);
    await archive.write(META, someData(500));
    Deno.writeTextFileSync(`${root}/one/alpha/cluster.json`, "{}");
    const target = openJobArchive(`${root}/two`);
    assert.ok(archive.copyTo(target, JOB));
    assert.deepEqual(target.readMeta(JOB), META);
    assert.deepEqual(await target.readData(JOB), someData(500));
    assert.deepEqual(namesIn(`${root}/two`), ["alpha", "version.txt"]);
    assert.deepEqual(namesIn(`${root}/two/alpha`), ["398", "cluster.json"]);
    // What is there already stays.
    Deno.removeSync(`${jobDirectory(`${root}/two`, JOB)}/data.json.gz`);
    assert.ok(archive.copyTo(target, JOB));
    await assert.rejects(() => target.readData(JOB), isNotFound);
  }));

Deno.test("JobArchive never leaves its root, whatever a cluster is called", () =>
  inDirectory((root) => {
    const archive = openJobArchive(root);
    for (const cluster of ["", ".", "..", "a/b", "../x", "a\\b", "a\0b"]) {
      assert.throws(
        () => archive.readMeta({ ...JOB, cluster }),
        (error) => error instanceof ClientError && error.status === 400,
        cluster,
      );
    }
  }));

Deno.test("openJobArchive makes an archive of an empty directory only", () =>
  inDirectory((root) => {
    const empty = `${root}/a/b`;
    openJobArchive(empty);
    assert.equal(Deno.readTextFileSync(`${empty}/version.txt`), "3\n");
    openJobArchive(empty);
    Deno.writeTextFileSync(`${empty}/version.txt`, "2\n");
    assert.throws(() => openJobArchive(empty), /got "2", expected 3/);
    Deno.removeSync(`${empty}/version.txt`);
    Deno.writeTextFileSync(`${empty}/.hidden`, "");
    openJobArchive(empty);
    Deno.removeSync(`${empty}/version.txt`);
    Deno.mkdirSync(`${empty}/alpha`);
    assert.throws(() => openJobArchive(empty), /missing beside alpha/);
  }));

/** Files of a process that is killed before the n-th change of a name. */
class KilledFiles implements Files {
  #left: number;

  constructor(changes: number) {
    this.#left = changes;
  }

  create(path: string) {
    this.#alive();
    return DENO_FILES.create(path);
  }

  openToRead = DENO_FILES.openToRead;

  rename(from: string, to: string): void {
    if (this.#left-- <= 0) throw new Error("killed");
    DENO_FILES.rename(from, to);
  }

  remove(path: string): void {
    if (this.#left-- <= 0) throw new Error("killed");
    DENO_FILES.remove(path);
  }

  list = DENO_FILES.list;
  makeDirectory = DENO_FILES.makeDirectory;
  syncDirectory = DENO_FILES.syncDirectory;

  #alive(): void {
    if (this.#left < 0) throw new Error("killed");
  }
}

Deno.test("JobArchive stays readable when killed between temporary file and rename", () =>
  inDirectory(async (root) => {
    const fresh = openJobArchive(root);
    const before = someData(3);
    const after = someData(500);
    const edited = { ...META, tags: [] };
    const seen = new Set<string>();
    for (let changes = 0; changes < 4; changes++) {
      fresh.remove(JOB);
      await fresh.write(META, before);
      const killed = new JobArchive(root, { files: new KilledFiles(changes) });
      const done = await killed.write(edited, after).then(
        () => true,
        () => false,
      );
      // A new process finds either job whole, and writes it anew.
      const meta = fresh.readMeta(JOB);
      const size = (await fresh.readData(JOB)).get("cpu_load")?.get("node")
        ?.series[0]
        ?.data.length;
      seen.add(`${meta.tags.length} ${size}`);
      assert.ok(size === 3 || size === 500);
      if (done) assert.deepEqual([meta, size], [edited, 500]);
      await fresh.write(edited, after);
      assert.deepEqual(fresh.readMeta(JOB), edited);
      assert.deepEqual(await fresh.readData(JOB), after);
    }
    assert.deepEqual([...seen], ["1 3", "1 500", "0 500"]);
  }));

Deno.test("JobArchive has no job whose meta file was never put in place", () =>
  inDirectory(async (root) => {
    openJobArchive(root);
    const killed = new JobArchive(root, { files: new KilledFiles(1) });
    await assert.rejects(killed.write(META, someData(3)));
    const fresh = openJobArchive(root);
    assert.throws(() => fresh.readMeta(JOB), isNotFound);
    await fresh.write(META, someData(3));
    assert.deepEqual(fresh.readMeta(JOB), META);
  }));

Deno.test("JobArchive writes numbers in full precision", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    await archive.write(META, someData(500));
    const bytes = Deno.readFileSync(`${jobDirectory(root, JOB)}/data.json.gz`);
    const text = gunzipSync(Buffer.from(bytes)).toString();
    assert.ok(text.includes("0.3333333333333333,"), text.slice(0, 300));
  }));
