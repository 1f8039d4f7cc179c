/** Jobs that start and stop by message: a real broker, the real program (job-api 8). */
import assert from "node:assert/strict";
import { Broker } from "../support/broker.ts";
import { TestClient } from "../support/client.ts";
import { readCredentials, startJobServer } from "../support/job_server.ts";
import { until } from "../support/nats.ts";
import { HOUR_AGO, minimalJob } from "./job_api.ts";

const SUBJECTS = {
  "subject-job-event": "cc.job",
  "subject-node-state": "cc.nodes",
};

/** A line as the Slurm adapter sends it, with tags that mean nothing here. */
function event(kind: string, value: unknown): string {
  const [measurement, fn] = kind.split(" ");
  const tags = fn === undefined ? "" : `,function=${fn}`;
  const json = (typeof value === "string" ? value : JSON.stringify(value))
    .replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `${measurement},hostname=slurm1,type=node,type-id=0${tags} event="${json}" 1738842306000000000\n`;
}

interface Listed {
  readonly jobId: number;
  readonly jobState: string;
  readonly monitoringStatus: number;
  readonly duration: number;
  readonly tags?: { name: string }[];
}

Deno.test("jobs start and stop by message, in order whatever comes between, and not by HTTP", async () => {
  await using broker = await Broker.start();
  await using server = await startJobServer({
    withRealJob: false,
    main: { "api-subjects": SUBJECTS },
    sections: { nats: { address: broker.address } },
  });
  const { tokens } = await readCredentials();
  const client = new TestClient(server.url);
  const nats = await broker.connect();
  const send = (method: string, path: string, body?: string) =>
    client.send({
      ...{ method, path, body, authorization: `Bearer ${tokens["admin+api"]}` },
    });
  const jobs = async (): Promise<Map<number, Listed>> => {
    const { text } = await send("GET", "/api/jobs/?items-per-page=1000");
    const list: Listed[] = JSON.parse(text).jobs;
    return new Map(list.map((job) => [job.jobId, job]));
  };
  const outcomes = async (): Promise<Record<string, number>> => {
    const { text } = await send("GET", "/metrics");
    const found = text.matchAll(
      /^ringstore_nats_job_events_total\{outcome="(\w+)"\} (\S+)$/gm,
    );
    return Object.fromEntries(
      [...found].map(([, name, n]) => [name, Number(n)]),
    );
  };
  try {
    await until("connection", async () => {
      const { text } = await send("GET", "/metrics");
      return text.includes("ringstore_nats_connected 1") || undefined;
    });

    // One after the other in one message, and each in its own.
    nats.publish(
      "cc.job",
      event("job start_job", minimalJob(1)) +
        event("job stop_job", { jobId: 1, stopTime: HOUR_AGO + 60 }),
    );
    for (let jobId = 10; jobId < 60; jobId++) {
      nats.publish("cc.job", event("job start_job", minimalJob(jobId)));
      nats.publish(
        "cc.job",
        event("job stop_job", { jobId, stopTime: HOUR_AGO + jobId }),
      );
    }
    // A stop that overtook its start.
    nats.publish(
      "cc.job",
      event("job stop_job", {
        ...{ jobId: 2, jobState: "failed", stopTime: HOUR_AGO + 5 },
      }),
    );
    await nats.flush();
    nats.publish("cc.job", event("job start_job", minimalJob(2)));
    // Bad ones: no JSON, unknown key, failed checks, known already, no job, no event.
    const bad = [
      event("job start_job", "{"),
      event("job start_job", minimalJob(3, { bogus: 1 })),
      event("job start_job", minimalJob(3, { cluster: "zz" })),
      event("job start_job", minimalJob(1)),
      event("job stop_job", { jobId: 1, stopTime: HOUR_AGO + 60 }),
      event("job pause_job", { jobId: 1 }),
      "job,function=start_job other=1 1738842306000000000\n",
      '\n# a comment\nnodestate event="{}" 1738842306000000000\n',
      "not a line at all",
      "",
    ];
    for (const message of bad) nats.publish("cc.job", message);
    // Tags by message are set as a pure API client sets them.
    const tags = [{ type: "t", name: "n", scope: "global" }];
    nats.publish("cc.job", event("job start_job", minimalJob(4, { tags })));
    nats.publish(
      "cc.nodes",
      event("nodestate", {
        cluster: "fritz",
        nodes: [{ hostname: "f0101", states: ["idle"] }],
      }),
    );
    await nats.flush();

    await until("all jobs archived", async () => {
      const done = [...(await jobs()).values()]
        .filter(({ monitoringStatus }) => monitoringStatus === 3);
      return done.length === 52 || undefined;
    });
    const found = await until("the last job", async () => {
      const all = await jobs();
      return all.has(4) ? all : undefined;
    });
    assert.deepEqual(
      [...found.keys()].sort((a, b) => a - b),
      [1, 2, 4, ...Array.from({ length: 50 }, (_, i) => i + 10)],
    );
    assert.equal(found.get(1)?.duration, 60);
    assert.equal(found.get(2)?.jobState, "failed");
    assert.equal(found.get(4)?.jobState, "running");
    assert.equal(found.get(4)?.tags?.[0]?.name, "n");
    for (let jobId = 10; jobId < 60; jobId++) {
      assert.equal(found.get(jobId)?.duration, jobId);
    }
    // 102 good starts and stops, two of job 2, job 4, the node.
    await until(
      "all events",
      async () => (await outcomes())["handled"] === 106 || undefined,
    );
    const told = await outcomes();
    assert.equal(told["dropped"], 0);
    // A start and a stop told twice; an unknown key and an unknown cluster.
    assert.equal(told["known"], 2, JSON.stringify(told));
    assert.equal(told["failed"], 2, JSON.stringify(told));
    assert.ok(told["syntax"]! >= 1, JSON.stringify(told));

    for (const path of ["/api/jobs/start_job/", "/api/jobs/stop_job/"]) {
      const { status } = await send(
        "POST",
        path,
        JSON.stringify(minimalJob(5)),
      );
      assert.equal(status, 404);
    }
    assert.equal((await jobs()).has(5), false);
  } finally {
    await nats.close();
    client.close();
  }
});
