/**
 * Puts a made-up world into a running server by its own routes: samples as collectors
 * send them, jobs and node states as a batch system tells them. Main thread of the demo
 * and of tests.
 */
import type { DemoSamples } from "./samples.ts";
import {
  DEMO_CLUSTER,
  type DemoWorld,
  startRequest,
  stopRequest,
} from "./world.ts";

export const DEMO_STEP_SEC = 5;
const BATCH_CHARS = 4 << 20;
/** Requests under way: one is read by the server while the next is made. */
const WRITES = 3;
const STARTS = 8;

export interface DemoServer {
  readonly url: string;
  /** With the role `api`. */
  readonly token: string;
}

/** All samples between two moments; gives how many lines were sent. */
export async function fillSamples(
  server: DemoServer,
  samples: DemoSamples,
  fromSec: number,
  toSec: number,
): Promise<number> {
  const underWay = new Set<Promise<void>>();
  let lines = 0;
  let batch = "";
  const send = async () => {
    const body = batch;
    batch = "";
    if (body === "") return;
    lines += body.split("\n").length - 1;
    const sent: Promise<void> = write(server, body)
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
    if (underWay.size >= WRITES) await Promise.race(underWay);
  };
  const first = Math.ceil(fromSec / DEMO_STEP_SEC) * DEMO_STEP_SEC;
  for (let sec = first; sec <= toSec; sec += DEMO_STEP_SEC) {
    batch += samples.linesAt(sec);
    if (batch.length > BATCH_CHARS) await send();
  }
  await send();
  await Promise.all(underWay);
  return lines;
}

async function write(server: DemoServer, body: string): Promise<void> {
  await post(server, `/api/write?cluster=${DEMO_CLUSTER}`, body);
}

/** Starts of all jobs, then stops of those that ended. */
export async function fillJobs(
  server: DemoServer,
  world: DemoWorld,
): Promise<void> {
  await inTurns(
    world.jobs,
    (job) =>
      post(
        server,
        "/api/jobs/start_job/",
        JSON.stringify(startRequest(job, world)),
      ),
  );
  await inTurns(
    world.jobs.filter(({ stopSec }) => stopSec !== undefined),
    (job) =>
      post(server, "/api/jobs/stop_job/", JSON.stringify(stopRequest(job))),
  );
}

/** The states of all nodes, as a batch system reports them. */
export async function fillStates(
  server: DemoServer,
  world: DemoWorld,
): Promise<void> {
  const busy = new Set(
    world.jobs.filter(({ stopSec }) => stopSec === undefined)
      .flatMap(({ hosts }) => hosts),
  );
  const nodes = world.hosts.map((hostname) => ({
    hostname,
    states: [
      hostname === world.down
        ? "down"
        : busy.has(hostname)
        ? "allocated"
        : "idle",
    ],
    jobsRunning: busy.has(hostname) ? 1 : 0,
    cpusAllocated: busy.has(hostname) ? 32 : 0,
  }));
  const body = JSON.stringify({ cluster: DEMO_CLUSTER, nodes });
  await post(server, "/api/nodestate/", body);
}

async function inTurns<T>(
  items: readonly T[],
  run: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const workers = Array.from({ length: STARTS }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      await run(item);
    }
  });
  await Promise.all(workers);
}

async function post(
  server: DemoServer,
  path: string,
  body: string,
): Promise<void> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${server.token}` },
    body,
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
  }
}
