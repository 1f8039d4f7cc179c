import assert from "node:assert/strict";
import {
  placeRealJob,
  REAL_JOB_PLACE,
} from "../../../tests/support/real_job_archive.ts";
import { inDirectory, JOB, META, someData } from "./_archive_fixture.ts";
import {
  type ArchiveFinding,
  countArchivedJobs,
  importJobFiles,
  readArchivedJobs,
  verifyArchive,
} from "./archive_import.ts";
import { jobDirectory } from "./archive_layout.ts";
import { JobArchiveError } from "./archive_error.ts";
import { openJobArchive } from "./job_archive.ts";

Deno.test("readArchivedJobs reports what it cannot read and goes on", () =>
  inDirectory(async (root) => {
    placeRealJob(root);
    const archive = openJobArchive(root);
    const jobs = [1, 2, 3, 4].map((jobId) => ({ ...JOB, jobId }));
    for (const job of jobs) await archive.write({ ...META, job }, someData(3));
    const bad = jobs.map((job) => `${jobDirectory(root, job)}/meta.json`);
    Deno.writeTextFileSync(bad[1] ?? "", "{");
    Deno.removeSync(bad[2] ?? "");
    const findings: ArchiveFinding[] = [];
    const progress: number[] = [];
    const read = await Array.fromAsync(readArchivedJobs(archive, {
      onFinding: (finding) => findings.push(finding),
      onProgress: (done) => progress.push(done),
    }));
    assert.deepEqual(read.map(({ job }) => job.jobId), [
      1,
      4,
      REAL_JOB_PLACE.jobId,
    ]);
    assert.deepEqual(read[0], { ...META, job: jobs[0] });
    assert.deepEqual(progress, [1, 2, 3, 4, 5]);
    assert.equal(countArchivedJobs(root), 5);
    assert.deepEqual(findings.map((one) => one.path), [
      bad[1],
      bad[2]?.replace("/meta.json", ""),
    ]);
    assert.match(findings[1]?.message ?? "", /not in the archive/);
    const [last] = await Array.fromAsync(readArchivedJobs(archive, {
      after: JOB,
      onFinding: () => assert.fail("nothing is wrong there"),
    }));
    assert.equal(last?.job.jobId, REAL_JOB_PLACE.jobId);
  }));

Deno.test("verifyArchive finds nothing wrong with what was written", () =>
  inDirectory(async (root) => {
    placeRealJob(root);
    const archive = openJobArchive(root);
    await archive.write(META, someData(500));
    const onFinding = (finding: ArchiveFinding) => assert.fail(finding.message);
    assert.equal(await verifyArchive(archive, { onFinding }), 2);
  }));

Deno.test("verifyArchive finds damage, leftovers and metrics of other hosts", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    const write = async (jobId: number) => {
      const job = { ...JOB, jobId };
      await archive.write({ ...META, job }, someData(500));
      return jobDirectory(root, job);
    };
    const damaged = await write(1);
    Deno.truncateSync(`${damaged}/data.json.gz`, 100);
    const without = await write(2);
    Deno.removeSync(`${without}/data.json.gz`);
    const littered = await write(3);
    for (const name of ["data.json", "meta.json.tmp", "notes"]) {
      Deno.writeTextFileSync(`${littered}/${name}`, "{}");
    }
    await archive.write(
      { ...META, job: { ...JOB, jobId: 4, resources: [{ hostname: "x" }] } },
      someData(3),
    );
    Deno.mkdirSync(`${root}/alpha/odd`);
    const found: string[] = [];
    const good = await verifyArchive(archive, {
      onFinding: ({ path, message }) =>
        found.push(`${path.slice(root.length)}: ${message}`),
    });
    // What is found beside a job does not make it unreadable.
    assert.equal(good, 2);
    const want = [
      /^\/alpha\/odd: is not a directory/,
      /^\/alpha\/0\/001\/\d+\/data.json.gz: .*not readable/,
      /^\/alpha\/0\/002\/\d+: .*not in the archive/,
      /data.json: is not read/,
      /meta.json.tmp: was never finished/,
      /notes: is not a file of an archive/,
      /^\/alpha\/0\/004\/\d+: .*a0101, a0102/,
    ];
    assert.equal(found.length, want.length, found.join("\n"));
    want.forEach((one, i) => assert.match(found[i] ?? "", one));
  }));

Deno.test("importJobFiles puts a job of two files where it belongs", () =>
  inDirectory(async (root) => {
    const archive = openJobArchive(root);
    const emmy =
      new URL("../../../tests/testdata/emmy/1403244-", import.meta.url)
        .pathname;
    const imported = await importJobFiles(
      archive,
      `${emmy}meta.json`,
      `${emmy}data.json.gz`,
    );
    assert.equal(imported.job.numNodes, 32);
    assert.deepEqual(archive.readMeta(REAL_JOB_PLACE), imported);
    assert.equal((await archive.readData(REAL_JOB_PLACE)).size, 9);
    const none = `${root}/none.json`;
    await assert.rejects(
      importJobFiles(archive, none, `${emmy}data.json.gz`),
      /none\.json does not exist/,
    );
    for (const text of ["{", "[]", "{}", '{"cluster":"a","jobId":0}']) {
      Deno.writeTextFileSync(none, text);
      await assert.rejects(
        importJobFiles(archive, none, `${emmy}data.json.gz`),
        (error) => error instanceof JobArchiveError && error.path === none,
      );
    }
  }));
