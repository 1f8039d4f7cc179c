/**
 * The archive's directory cannot be written for a while, or not at all: what the
 * server says, what it keeps, and how an operator helps.
 */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { TestClient } from "../support/client.ts";
import {
  readCredentials,
  ringstore,
  startJobServer,
} from "../support/job_server.ts";
import { makeDirectory, TestServer } from "../support/server.ts";

const LIMIT_MS = 60_000;

Deno.test("a job that cannot be archived waits, is told of, and is archived when an operator asks", async () => {
  await using server = await startJobServer({ withRealJob: false });
  const { tokens } = await readCredentials();
  const client = new TestClient(server.url);
  const configFile = `${server.directory}/config.json`;
  // The directory of the job's thousand cannot be made.
  const inTheWay = `${server.directory}/job-archive/fritz/0`;
  await Deno.writeTextFile(inTheWay, "");
  const send = async (method: "GET" | "POST", path: string, body?: unknown) => {
    const { status, text } = await client.send({
      ...{ method, path, authorization: `Bearer ${tokens["api"]}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(status < 300, text);
    return text;
  };
  const statusOfJob = async () => {
    const { jobs } = JSON.parse(await send("GET", "/api/jobs/"));
    return jobs[0].monitoringStatus;
  };
  const startTime = nowSec() - 600;
  try {
    await send("POST", "/api/jobs/start_job/", {
      ...{ jobId: 7, cluster: "fritz", user: "eve", project: "p", startTime },
      ...{ numNodes: 1, resources: [{ hostname: "f0101" }] },
    });
    await send("POST", "/api/jobs/stop_job/", {
      ...{ jobId: 7, cluster: "fritz", jobState: "completed" },
      stopTime: startTime + 300,
    });
    const shown = await server.child.until(
      "a failed job",
      LIMIT_MS,
      async () => {
        const text = await ringstore(["archive", "status"], configFile);
        return /attempts/.test(text) ? text : undefined;
      },
    );
    assert.match(shown, /^1 jobs wait to be archived, the oldest since 20/m);
    assert.match(
      shown,
      /^ {2}job 7 of fritz, started 20\S+Z: [1-9]\d* attempts, next .*directory/m,
    );
    assert.match(
      server.child.output,
      /WARN a job cannot be archived and will be tried again job=7 cluster=fritz/,
    );
    assert.equal(await statusOfJob(), 1);

    await Deno.remove(inTheWay);
    assert.match(
      await ringstore(["archive", "retry"], configFile),
      /^[01] jobs that failed are tried again now$/m,
    );
    await server.child.until(
      "the archived job",
      LIMIT_MS,
      async () => await statusOfJob() === 3 || undefined,
    );
    assert.match(
      await ringstore(["archive", "status"], configFile),
      /^no job waits to be archived$/m,
    );
  } finally {
    client.close();
  }
});

Deno.test("a server whose archive cannot be written does not start, and names the key", async () => {
  // Outside of what the start task may write.
  const outside = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${outside}/version.txt`, "3\n");
    await assert.rejects(
      TestServer.start({
        metrics: { m: { frequency: 60, aggregation: "avg" } },
        sections: { archive: { path: outside } },
      }),
      ({ message }: Error) =>
        /ended with code 1/.test(message) &&
        message.includes(
          `ringstore: archive.path: nothing can be written in ${outside}: `,
        ),
    );
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
});

Deno.test("a server whose log cannot be written does not start, and names the key", async () => {
  const directory = await makeDirectory();
  try {
    await Deno.writeTextFile(`${directory}/file`, "");
    await assert.rejects(
      TestServer.start({
        metrics: { m: { frequency: 60, aggregation: "avg" } },
        metricStore: { checkpoints: { directory: `${directory}/file` } },
      }),
      /ringstore: metric-store\.checkpoints\.directory: nothing can be written in \S+\/file: /,
    );
    await assert.rejects(
      TestServer.start({
        metrics: { m: { frequency: 60, aggregation: "avg" } },
        main: { db: `${directory}/file/job.db` },
      }),
      /ringstore: main\.db: nothing can be written in \S+\/file\/job\.db: /,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
