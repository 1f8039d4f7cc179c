import assert from "node:assert/strict";
import type { JobPlace } from "./archive_layout.ts";
import {
  applyRetention,
  type OldJobsCursor,
  type RetentionOptions,
} from "./retention.ts";

const NOW = 100 * 86_400;
const DELETE: RetentionOptions = {
  policy: "delete",
  ageDays: 10,
  omitTagged: "user",
  includeDb: true,
  targetRoot: "",
};

/** Old jobs with ids from 1 on; those in `broken` fail on the disk. */
function world(count: number, broken: readonly number[] = []) {
  const rows = new Set(Array.from({ length: count }, (_, i) => i + 1));
  const queries: { beforeSec: number; omitTagged: string }[] = [];
  const calls: string[] = [];
  const touch = (what: string, { jobId }: JobPlace) => {
    if (broken.includes(Number(jobId))) {
      return Promise.reject(new Error("broken"));
    }
    calls.push(`${what} ${jobId}`);
    // Of every third job there are no files.
    return Promise.resolve(Number(jobId) % 3 !== 0);
  };
  return {
    rows,
    queries,
    calls,
    jobs: {
      oldJobs(beforeSec: number, omitTagged: string, after?: OldJobsCursor) {
        queries.push({ beforeSec, omitTagged });
        const ids = [...rows].filter((id) => id > (after?.id ?? 0));
        const jobs = ids.slice(0, 500).map((id) => ({
          ...{ id, cluster: "alpha", jobId: id, startTime: 5 },
        }));
        const last = jobs.at(-1);
        return Promise.resolve({
          jobs,
          ...(ids.length > 500 && last !== undefined ? { next: last } : {}),
        });
      },
      deleteJobs(ids: readonly number[]) {
        for (const id of ids) rows.delete(id);
        return Promise.resolve();
      },
    },
    files: {
      remove: (place: JobPlace) => touch("remove", place),
      copyTo: (root: string, place: JobPlace) => touch(`copy ${root}`, place),
    },
  };
}

function unexpected(place: JobPlace, error: unknown): void {
  assert.fail(`${place.jobId}: ${error}`);
}

Deno.test("applyRetention deletes files and rows of old jobs", async () => {
  const { jobs, files, rows, queries, calls } = world(4);
  const report = await applyRetention(DELETE, jobs, files, NOW, unexpected);
  assert.deepEqual(report, { files: 3, rows: 4, failed: 0 });
  assert.equal(rows.size, 0);
  assert.deepEqual(calls, ["remove 1", "remove 2", "remove 3", "remove 4"]);
  assert.deepEqual(
    [queries[0]?.beforeSec, queries[0]?.omitTagged],
    [90 * 86_400, "user"],
  );
});

Deno.test("applyRetention goes through any number of jobs once", async () => {
  for (const includeDb of [true, false]) {
    const { jobs, files, rows, calls } = world(1200);
    const options = { ...DELETE, includeDb };
    const report = await applyRetention(options, jobs, files, NOW, unexpected);
    assert.equal(calls.length, 1200);
    assert.equal(report.rows, includeDb ? 1200 : 0);
    assert.equal(rows.size, includeDb ? 0 : 1200);
  }
});

Deno.test("applyRetention moves only what was copied", async () => {
  const { jobs, files, calls } = world(3);
  const options = { ...DELETE, policy: "move" as const, targetRoot: "/t" };
  const report = await applyRetention(options, jobs, files, NOW, unexpected);
  assert.deepEqual(report, { files: 2, rows: 3, failed: 0 });
  assert.deepEqual(calls, [
    "copy /t 1",
    "remove 1",
    "copy /t 2",
    "remove 2",
    "copy /t 3",
  ]);
});

Deno.test("applyRetention copies without deleting anything", async () => {
  const { jobs, files, rows, calls } = world(2);
  const options = { ...DELETE, policy: "copy" as const, targetRoot: "/t" };
  await applyRetention(options, jobs, files, NOW, unexpected);
  assert.deepEqual(calls, ["copy /t 1", "copy /t 2"]);
  assert.equal(rows.size, 2);
});

Deno.test("applyRetention keeps the row of a job whose files it cannot treat", async () => {
  const { jobs, files, rows } = world(600, [2, 550]);
  const failed: number[] = [];
  const report = await applyRetention(
    DELETE,
    jobs,
    files,
    NOW,
    ({ jobId }) => failed.push(Number(jobId)),
  );
  assert.deepEqual(failed, [2, 550]);
  assert.equal(report.failed, 2);
  assert.deepEqual([...rows], [2, 550]);
});
