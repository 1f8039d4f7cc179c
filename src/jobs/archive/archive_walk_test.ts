import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { inDirectory } from "./_archive_fixture.ts";
import { jobDirectory, type JobPlace } from "./archive_layout.ts";
import { archivedClusters, walkArchive } from "./archive_walk.ts";

function place(root: string, ...jobs: JobPlace[]): void {
  for (const job of jobs) {
    Deno.mkdirSync(jobDirectory(root, job), { recursive: true });
  }
}

function inOrder(a: JobPlace, b: JobPlace): number {
  if (a.cluster !== b.cluster) return a.cluster < b.cluster ? -1 : 1;
  if (a.jobId !== b.jobId) return a.jobId < b.jobId ? -1 : 1;
  return a.startTime - b.startTime;
}

Deno.test("jobDirectory splits the id as upstream does", () => {
  const at = (jobId: JobPlace["jobId"]) =>
    jobDirectory("r", { cluster: "c", jobId, startTime: 1649723812 });
  assert.equal(at(398759), "r/c/398/759/1649723812");
  assert.equal(at(1034871), "r/c/1034/871/1649723812");
  assert.equal(at(7), "r/c/0/007/1649723812");
  assert.equal(at(1000), "r/c/1/000/1649723812");
  assert.equal(
    at(2n ** 63n - 1n),
    "r/c/9223372036854775/807/1649723812",
  );
});

Deno.test("walkArchive goes through jobs in the order of their numbers", () =>
  inDirectory((root) => {
    const jobs = [
      { cluster: "a", jobId: 7, startTime: 5 },
      { cluster: "a", jobId: 7, startTime: 10 },
      { cluster: "a", jobId: 999, startTime: 1 },
      { cluster: "a", jobId: 1000, startTime: 1 },
      { cluster: "a", jobId: 10_001, startTime: 1 },
      { cluster: "a", jobId: 2n ** 53n + 1n, startTime: 1 },
      { cluster: "a", jobId: 2n ** 53n + 1n, startTime: 2 },
      { cluster: "a", jobId: 2n ** 63n - 1n, startTime: 1 },
      { cluster: "b", jobId: 1, startTime: 1 },
    ];
    place(root, ...jobs.toReversed());
    assert.deepEqual([...walkArchive(root)], jobs);
    assert.deepEqual(archivedClusters(root), ["a", "b"]);
  }));

Deno.test("walkArchive reports directories that hold no job and goes on", () =>
  inDirectory((root) => {
    const job = { cluster: "a", jobId: 7, startTime: 5 };
    place(root, job);
    const strange = ["a/x", "a/01", "a/0/07", "a/0/0x7", "a/0/007/05"];
    for (const name of strange) Deno.mkdirSync(`${root}/${name}`);
    Deno.writeTextFileSync(`${root}/a/cluster.json`, "{}");
    const found: string[] = [];
    const onStrange = (path: string) => found.push(path.slice(root.length + 1));
    assert.deepEqual([...walkArchive(root, { onStrange })], [job]);
    assert.deepEqual(found.sort(), strange.sort());
  }));

Deno.test("walkArchive of nothing is empty", () =>
  inDirectory((root) => {
    assert.deepEqual([...walkArchive(`${root}/none`)], []);
  }));

Deno.test("walkArchive goes on behind any place as if it had never stopped", () => {
  const job = fc.record({
    cluster: fc.constantFrom("a", "b", "c"),
    jobId: fc.constantFrom(0, 1, 999, 1000, 1001, 2000, 123_456),
    startTime: fc.nat(3),
  }, { noNullPrototype: true });
  return inDirectory((root) => {
    let round = 0;
    fc.assert(
      fc.property(fc.array(job), job, (jobs, after) => {
        const top = `${root}/${round++}`;
        place(top, ...jobs);
        const all = [...walkArchive(top)];
        assert.deepEqual(all, all.toSorted(inOrder));
        assert.deepEqual(
          [...walkArchive(top, { after })],
          all.filter((one) => inOrder(one, after) > 0),
        );
      }),
      { numRuns: fuzzRuns(30) },
    );
  });
});
