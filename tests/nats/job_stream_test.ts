/**
 * Job events and node states of JetStream streams, with a real server at a real
 * broker: what was published while the server was away, or was killed, is not lost,
 * and what comes again changes nothing.
 */
import assert from "node:assert/strict";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { nowSec } from "../../src/base/clock.ts";
import { openDatabase } from "../../src/db/database.ts";
import type { JobRow } from "../../src/db/job_row.ts";
import type { NodeStateRow } from "../../src/db/node_table.ts";
import { DurableServer, type StoreSettings } from "../crash/durable_server.ts";
import { Broker } from "../support/broker.ts";
import { metric, until, untilMetric } from "../support/nats.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

const T = Math.floor(nowSec() / 60) * 60 - 7200;

async function settings(
  server: DurableServer,
  broker: Broker,
): Promise<StoreSettings> {
  const root = `${server.directory}/job-archive`;
  await Deno.mkdir(`${root}/demo`, { recursive: true });
  await Deno.copyFile(
    new URL("../../docs/examples/cluster.json", import.meta.url),
    `${root}/demo/cluster.json`,
  );
  await Deno.writeTextFile(`${root}/version.txt`, "3\n");
  return {
    metrics: {},
    main: {
      "api-subjects": {
        ...{ "subject-job-event": "cc.jobs", "subject-node-state": "cc.nodes" },
        ...{ "stream-job-event": "CC", "durable-job-event": "jobs" },
        ...{ "stream-node-state": "CC", "durable-node-state": "nodes" },
      },
    },
    sections: { nats: { address: broker.address }, archive: { path: root } },
  };
}

async function addStream(broker: Broker): Promise<void> {
  const nats = await broker.connect();
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: "CC", subjects: ["cc.>"] });
  await nats.close();
}

/** Messages that the durables have yet to acknowledge. */
async function pending(broker: Broker): Promise<number> {
  const nats = await broker.connect();
  try {
    const { consumers } = await jetstreamManager(nats);
    let sum = 0;
    for (const durable of ["jobs", "nodes"]) {
      const info = await consumers.info("CC", durable);
      sum += info.num_pending + info.num_ack_pending;
    }
    return sum;
  } finally {
    await nats.close();
  }
}

async function untilAllAcknowledged(broker: Broker): Promise<void> {
  await until(
    "empty durables",
    async () => (await pending(broker)) === 0 || undefined,
  );
}

function event(kind: string, value: unknown): string {
  const [measurement, fn] = kind.split(" ");
  const tags = fn === undefined ? "" : `,function=${fn}`;
  const json = JSON.stringify(value).replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  return `${measurement},hostname=slurm1${tags} event="${json}" 1738842306000000000\n`;
}

/** Two runs of a job: begun, requeued, begun again, ended. */
function lifeOf(jobId: number): string[] {
  const start = (startTime: number) =>
    event("job start_job", {
      ...{ jobId, cluster: "demo", user: "eve", project: "p1", numNodes: 1 },
      ...{ startTime, resources: [{ hostname: "n01" }], monitoringStatus: 0 },
    });
  const stop = (jobState: string, stopTime: number) =>
    event("job stop_job", { jobId, cluster: "demo", jobState, stopTime });
  return [
    start(T),
    stop("pending", T + 60),
    start(T + 60),
    stop("completed", T + 90),
  ];
}

function nodeState(jobsRunning: number): string {
  return event("nodestate", {
    cluster: "demo",
    nodes: [{ hostname: "n01", states: ["mixed"], jobsRunning }],
  });
}

function rows(
  directory: string,
): { jobs: JobRow[]; node: NodeStateRow | undefined; told: Set<number> } {
  using database = openDatabase({
    path: `${directory}/job.db`,
    busyTimeoutMs: 1000,
    cacheSizeMb: 8,
    softHeapLimitMb: 0,
  });
  const { jobs, nodes } = database.tables;
  const all: JobRow[] = [];
  for (let page; (page = jobs.list({}, { limit: 1000, offset: all.length }));) {
    if (page.length === 0) break;
    all.push(...page);
  }
  const told = new Set(
    nodes.oldStates(nowSec() + 60, 100_000).map(({ jobsRunning }) =>
      jobsRunning
    ),
  );
  return { jobs: all, node: nodes.latestOf("demo", "n01"), told };
}

function lifeIn(jobs: readonly JobRow[], jobId: number): string[] {
  return jobs.filter((job) => job.jobId === jobId)
    .sort((a, b) => a.startTime - b.startTime)
    .map(({ jobState, startTime, duration }) =>
      `${jobState} ${startTime - T}+${duration}`
    );
}

const WHOLE_LIFE = ["preempted 0+60", "completed 60+30"];

natsTest(
  "kill -9 under job events of a stream loses none and tells none twice",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    await addStream(broker);
    await using server = await DurableServer.create();
    const given = await settings(server, broker);
    const nats = await broker.connect();
    const stream = jetstream(nats);
    let jobs = 0;
    let isOver = false;
    const publishing = (async () => {
      while (!isOver) {
        jobs++;
        for (const message of lifeOf(jobs)) {
          await stream.publish("cc.jobs", message);
        }
        await stream.publish("cc.nodes", nodeState(jobs));
        // At a pace the broker and two cores keep up with.
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    })();
    for (let kill = 0; kill < 3; kill++) {
      await server.start(given);
      await untilMetric(
        server.client,
        "nats_job_events_total",
        200,
        'outcome="handled"',
      );
      await server.kill();
    }
    await server.start(given);
    isOver = true;
    await publishing;
    await untilAllAcknowledged(broker);
    assert.equal(
      await metric(server.client, "nats_job_events_total", '"failed"'),
      0,
    );
    await server.stop();
    const found = rows(server.directory);
    const byId = Map.groupBy(found.jobs, ({ jobId }) => jobId);
    assert.equal(byId.size, jobs);
    for (let jobId = 1; jobId <= jobs; jobId++) {
      assert.deepEqual(lifeIn(byId.get(jobId) ?? [], jobId), WHOLE_LIFE);
    }
    assert.equal(found.node?.jobsRunning, jobs);
    assert.equal(found.told.add(jobs).size, jobs);
    await nats.close();
  },
);

natsTest(
  "job events of a stream that come while the server is away are taken afterwards, also with bytes that are no UTF-8",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    await addStream(broker);
    await using server = await DurableServer.create();
    const given = await settings(server, broker);
    const nats = await broker.connect();
    const stream = jetstream(nats);
    const [start = "", ...others] = lifeOf(37);
    const latin1 = start.replace('"eve', '"J\u00f6rg');
    await stream.publish(
      "cc.jobs",
      Uint8Array.from(latin1, (char) => char.charCodeAt(0)),
    );
    await stream.publish("cc.jobs", others.join(""));
    await stream.publish("cc.jobs", "not an event");
    await stream.publish("cc.jobs", event("job stop_job", { jobId: 99 }));
    const before = nowSec();
    await stream.publish("cc.nodes", nodeState(1));
    const after = nowSec();
    await server.start(given);
    await untilMetric(
      server.client,
      "nats_job_events_total",
      5,
      'outcome="handled"',
    );
    await untilAllAcknowledged(broker);
    const warnings = server.child.output.split("\n")
      .filter((line) => line.includes("an event failed"));
    assert.equal(warnings.length, 1, server.child.output);
    assert.match(
      warnings[0]!,
      /kind=stop job=99 reason="jobId: there is no job 99"$/,
    );
    assert.equal((await server.stop()).code, 0);
    const found = rows(server.directory);
    assert.deepEqual(lifeIn(found.jobs, 37), WHOLE_LIFE);
    assert.deepEqual(
      found.jobs.map(({ user }) => user).sort(),
      ["J\ufffdrg", "eve"],
    );
    // The time is that of the message, not that of the start.
    const { time = 0 } = found.node ?? {};
    assert.ok(before <= time && time <= after);
    await nats.close();
  },
);
