/**
 * What cc-slurm-adapter sends (job-api 12), in its order: every key of its structs
 * with zeros and nulls, the token in `X-AUTH-TOKEN`, and an `Accept` of its own.
 */
import assert from "node:assert/strict";
import { until } from "../support/nats.ts";
import { HOUR_AGO, JobApiServer, type JobQuestion } from "./job_api.ts";

const LIST =
  "/api/jobs/?state=running&items-per-page=9999999&page=1&with-metadata=false";

/** The whole struct, as Go writes it. */
function startBody(jobId: number): string {
  return `{"cluster":"fritz","subCluster":"","partition":"singlenode",` +
    `"project":"p1","user":"eve","shared":"none","jobState":"","tags":null,` +
    `"resources":[{"hostname":"f0101","configuration":"","hwthreads":[0,1,2,3],` +
    `"accelerators":null},{"hostname":"f0102","configuration":"",` +
    `"hwthreads":null,"accelerators":[]}],"energyFootprint":null,` +
    `"footprint":null,"metaData":{"jobName":"run.sh","jobScript":"#!/bin/bash` +
    `\\n#SBATCH -N 2\\n","slurmInfo":"\\nAccount: p1 (\\u003cunset\\u003e)\\n",` +
    `"submitTime":"${
      HOUR_AGO - 9
    }"},"concurrentJobs":{"items":null,"count":0},` +
    `"energy":0,"arrayJobId":0,"walltime":86400,"requestedMemory":0,` +
    `"jobId":${jobId},"duration":0,"smt":0,"monitoringStatus":1,"numAcc":0,` +
    `"numHwthreads":8,"numNodes":2,"statistics":null,"id":0,` +
    `"submitTime":${HOUR_AGO - 9},"startTime":${HOUR_AGO}}`;
}

Deno.test("the calls of the Slurm adapter get the statuses it acts on", async () => {
  await using server = await JobApiServer.start();
  const token = await server.tokenOf("api");
  const ask = (
    status: number,
    method: string,
    path: string,
    body?: JobQuestion["body"],
  ) =>
    server.expect(status, method, path, {
      as: null,
      headers: {
        "X-AUTH-TOKEN": token,
        "Accept": "application/ld+json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body,
    });

  assert.deepEqual((await ask(200, "GET", LIST)).json.jobs, []);
  await ask(201, "POST", "/api/jobs/start_job/", startBody(398_759));
  await ask(422, "POST", "/api/jobs/start_job/", startBody(398_759));
  await ask(201, "POST", "/api/jobs/start_job/", startBody(398_760));

  const { jobs, items, page } = (await ask(200, "GET", LIST)).json;
  assert.deepEqual([items, page], [9_999_999, 1]);
  const { id, duration, ...job } = jobs.at(-1);
  assert.ok(id > 0 && duration >= 3600);
  assert.deepEqual(job, {
    ...{ cluster: "fritz", subCluster: "main", partition: "singlenode" },
    ...{ project: "p1", user: "eve", shared: "none", jobState: "running" },
    resources: [
      { hostname: "f0101", hwthreads: [0, 1, 2, 3] },
      { hostname: "f0102" },
    ],
    ...{ energyFootprint: null, footprint: null, metaData: null },
    concurrentJobs: { items: null, count: 0 },
    ...{ energy: 0, walltime: 86_400, jobId: 398_759, monitoringStatus: 1 },
    ...{ numHwthreads: 8, numNodes: 2, statistics: null },
    // The field that upstream loses (job-api O15).
    ...{ submitTime: HOUR_AGO - 9, startTime: HOUR_AGO },
  });

  const states = {
    cluster: "fritz",
    nodes: [{
      ...{ hostname: "f0101", states: ["ALLOCATED"], cpusAllocated: 72 },
      ...{ memoryAllocated: 128_000, gpusAllocated: 0, jobsRunning: 1 },
    }],
  };
  const told = await ask(200, "POST", "/api/nodestate/", states);
  assert.equal(told.text, "");

  const stop = {
    ...{ jobId: 398_759, cluster: "fritz", jobState: "timeout" },
    stopTime: HOUR_AGO + 600,
  };
  const stopped = await ask(200, "POST", "/api/jobs/stop_job/", stop);
  assert.equal(stopped.json.jobState, "timeout");
  await ask(422, "POST", "/api/jobs/stop_job/", stop);
  const left = (await ask(200, "GET", LIST)).json.jobs;
  assert.deepEqual(
    left.map(({ jobId }: { jobId: number }) => jobId),
    [398_760],
  );
  // The contract's example of a place in the archive, by its job id.
  await until(
    "archived job",
    () =>
      Deno.stat(`${server.archiveRoot}/fritz/398/759/${HOUR_AGO}/meta.json`)
        .then(() => true, () => undefined),
  );
});

Deno.test("the token in X-Auth-Token counts, whatever Authorization says", async () => {
  await using server = await JobApiServer.start();
  const good = await server.tokenOf("api");
  const status = async (headers: Record<string, string>) =>
    (await server.ask("GET", "/api/jobs/", { as: null, headers })).status;
  assert.equal(await status({ "x-auth-token": good }), 200);
  assert.equal(
    await status({ "X-Auth-Token": good, Authorization: "Bearer rubbish" }),
    200,
  );
  assert.equal(
    await status({
      "X-Auth-Token": "rubbish",
      Authorization: `Bearer ${good}`,
    }),
    401,
  );
  assert.equal(await status({ Authorization: good }), 200);
  assert.equal(await status({ Cookie: `access_token=${good}` }), 401);
});
