import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { inDirectory, JOB, META, someData } from "./_archive_fixture.ts";
import { jobDirectory, type JobPlace } from "./archive_layout.ts";
import { compressStep } from "./compression.ts";
import { openJobArchive } from "./job_archive.ts";

/** An archive as other tools leave it: nothing is compressed. */
async function plainArchive(root: string, jobs: readonly JobPlace[]) {
  const archive = openJobArchive(root);
  for (const place of jobs) {
    await archive.write({ ...META, job: { ...JOB, ...place } }, someData(500));
    const directory = jobDirectory(root, place);
    const packed = Buffer.from(
      Deno.readFileSync(`${directory}/data.json.gz`),
    );
    Deno.writeFileSync(`${directory}/data.json`, gunzipSync(packed));
    Deno.removeSync(`${directory}/data.json.gz`);
  }
  return archive;
}

function filesOf(root: string, place: JobPlace): string[] {
  return [...Deno.readDirSync(jobDirectory(root, place))]
    .map((one) => one.name).sort();
}

const JOBS = [1, 2, 3].map((jobId) => ({
  cluster: "alpha",
  jobId,
  startTime: jobId * 100,
}));
const [FIRST, SECOND, LAST] = JOBS as [JobPlace, JobPlace, JobPlace];

Deno.test("compressStep compresses old data in steps and reads the same afterwards", () =>
  inDirectory(async (root) => {
    const archive = await plainArchive(root, JOBS);
    const step = { beforeSec: 300, directoriesMax: 1 };
    const first = await compressStep(root, step);
    assert.deepEqual(first, { after: FIRST, compressed: 1, removed: 0 });
    assert.deepEqual(filesOf(root, FIRST), ["data.json.gz", "meta.json"]);
    assert.deepEqual(filesOf(root, SECOND), ["data.json", "meta.json"]);
    assert.deepEqual(await archive.readData(FIRST), someData(500));
    const rest = await compressStep(root, {
      ...step,
      after: FIRST,
      directoriesMax: 10,
    });
    assert.deepEqual(rest, { compressed: 1, removed: 0 });
    // The last is not old enough.
    assert.deepEqual(filesOf(root, LAST), ["data.json", "meta.json"]);
    assert.match(Deno.readTextFileSync(`${root}/compress.txt`), /^\d+\n$/);
  }));

Deno.test("compressStep leaves short data plain and removes unfinished files", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    await archive.write({ ...META, job: { ...JOB, ...FIRST } }, someData(3));
    const directory = jobDirectory(root, FIRST);
    Deno.writeTextFileSync(`${directory}/meta.json.tmp`, "{");
    const step = { beforeSec: 300, directoriesMax: 10 };
    assert.deepEqual(await compressStep(root, step), {
      compressed: 0,
      removed: 1,
    });
    assert.deepEqual(filesOf(root, FIRST), ["data.json", "meta.json"]);
  }));

Deno.test("compressStep finishes what a killed process had compressed", () =>
  inDirectory(async (root) => {
    const archive = await plainArchive(root, [FIRST]);
    const directory = jobDirectory(root, FIRST);
    const plain = Deno.readFileSync(`${directory}/data.json`);
    const step = { beforeSec: 300, directoriesMax: 10 };
    await compressStep(root, step);
    Deno.writeFileSync(`${directory}/data.json`, plain);
    assert.equal((await compressStep(root, step)).compressed, 1);
    assert.deepEqual(filesOf(root, FIRST), ["data.json.gz", "meta.json"]);
    assert.deepEqual(await archive.readData(FIRST), someData(500));
  }));
