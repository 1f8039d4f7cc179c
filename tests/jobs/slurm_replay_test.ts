/**
 * Lives of jobs as Slurm's accounting tells them and cc-slurm-adapter passes them on.
 * Each case says what `sacct --duplicates` shows in the end, and the rows that must be
 * there then.
 */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { HOUR_AGO, JobApiServer } from "./job_api.ts";
import { CACHE_POLLS, SlurmAdapter, type SlurmRecord } from "./slurm_model.ts";

const T = HOUR_AGO;

/** Records of one poll, or what happens between two. */
type Step =
  | readonly SlurmRecord[]
  | "forget"
  | "restart"
  | "outage begins"
  | "outage ends";

interface Life {
  readonly name: string;
  readonly steps: readonly Step[];
  /** The states that `sacct --duplicates` shows in the end, by start. */
  readonly sacct: readonly string[];
  /** `jobId state start+duration`, starts relative to `T`. */
  readonly rows: readonly string[];
  readonly calls: readonly string[];
}

function record(
  state: string,
  start: number,
  end?: number,
  more: Partial<SlurmRecord> = {},
): SlurmRecord {
  return {
    ...{ jobId: 5, state, start: T + start, ...more },
    ...(end === undefined ? {} : { end: T + end }),
  };
}

const LIVES: readonly Life[] = [
  {
    name: "a requeued job has a row for each run",
    steps: [
      [record("RUNNING", 0)],
      [record("PENDING", 0, 100)],
      "forget",
      [record("RUNNING", 700)],
      [record("COMPLETED", 700, 900)],
    ],
    sacct: ["REQUEUED", "COMPLETED"],
    rows: ["5 preempted 0+100", "5 completed 700+200"],
    calls: ["start 5 201", "stop 5 200", "start 5 201", "stop 5 200"],
  },
  {
    name: "a job behind a requeued one in the list is stopped in the same poll",
    steps: [
      [record("RUNNING", 0), record("RUNNING", 10, undefined, { jobId: 22 })],
      [record("PENDING", 0, 100), record("NODE_FAIL", 10, 90, { jobId: 22 })],
    ],
    sacct: ["REQUEUED", "NODE_FAIL"],
    rows: ["5 preempted 0+100", "22 failed 10+80"],
    calls: ["start 5 201", "start 22 201", "stop 5 200", "stop 22 200"],
  },
  {
    name: "a job that is requeued, held and cancelled does not run for ever",
    steps: [
      [record("RUNNING", 0)],
      [record("PENDING", 0, 100)],
      "forget",
      // It was never scheduled again: no nodes.
      [record("CANCELLED", 800, 800, { nodes: [] })],
    ],
    sacct: ["REQUEUED", "CANCELLED"],
    rows: ["5 preempted 0+100"],
    calls: ["start 5 201", "stop 5 200"],
  },
  {
    name: "a requeued job that is cancelled while the adapter remembers it",
    steps: [
      [record("RUNNING", 0)],
      [record("REQUEUE_HOLD", 0, 100)],
      "restart",
      [record("CANCELLED", 0, 300)],
    ],
    sacct: ["REQUEUE_HOLD", "CANCELLED"],
    rows: ["5 preempted 0+100"],
    // The start of the first run and an end of a run that never was.
    calls: ["start 5 201", "stop 5 200", "start 5 422", "stop 5 422"],
  },
  {
    name: "a preempted job that is cancelled keeps Slurm's word",
    steps: [[record("RUNNING", 0)], [record("PREEMPTED", 0, 60)]],
    sacct: ["PREEMPTED"],
    rows: ["5 preempted 0+60"],
    calls: ["start 5 201", "stop 5 200"],
  },
  {
    name: "a preempted job that is requeued twice has three rows",
    steps: [
      [record("RUNNING", 0)],
      [record("PENDING", 0, 100)],
      "forget",
      [record("PENDING", 700, 750)],
      "forget",
      [record("TIMEOUT", 1400, 1500)],
    ],
    sacct: ["REQUEUED", "REQUEUED", "TIMEOUT"],
    rows: ["5 preempted 0+100", "5 preempted 700+50", "5 timeout 1400+100"],
    calls: [
      ...["start 5 201", "stop 5 200", "start 5 201", "stop 5 200"],
      ...["start 5 201", "stop 5 200"],
    ],
  },
  {
    name: "a failed node ends a run, and the requeued job runs on another",
    steps: [
      [record("RUNNING", 0)],
      [record("NODE_FAIL", 0, 40)],
      "forget",
      [record("COMPLETED", 500, 600, { nodes: ["f0102"] })],
    ],
    sacct: ["NODE_FAIL", "COMPLETED"],
    rows: ["5 failed 0+40", "5 completed 500+100"],
    calls: ["start 5 201", "stop 5 200", "start 5 201", "stop 5 200"],
  },
  {
    name: "a second run within six polls is not seen, and changes nothing",
    steps: [
      [record("RUNNING", 0)],
      [record("PENDING", 0, 100)],
      [record("COMPLETED", 160, 200)],
    ],
    sacct: ["REQUEUED", "COMPLETED"],
    rows: ["5 preempted 0+100"],
    calls: ["start 5 201", "stop 5 200"],
  },
  {
    name: "a suspended job goes on in its row and ends once",
    steps: [
      [record("RUNNING", 0)],
      [record("SUSPENDED", 0)],
      [record("RUNNING", 0)],
      [record("COMPLETED", 0, 400)],
    ],
    sacct: ["COMPLETED"],
    rows: ["5 completed 0+400"],
    calls: ["start 5 201", "stop 5 200"],
  },
  {
    name: "tasks of an array are jobs that name their array",
    steps: [
      [5, 6, 7].map((jobId) =>
        record("RUNNING", 0, undefined, { jobId, arrayJobId: 5 })
      ),
      [
        record("COMPLETED", 0, 50, { arrayJobId: 5 }),
        record("FAILED", 0, 60, { jobId: 6, arrayJobId: 5 }),
        record("CANCELLED", 0, 70, { jobId: 7, arrayJobId: 5 }),
      ],
    ],
    sacct: ["COMPLETED", "FAILED", "CANCELLED"],
    rows: [
      ...["5 completed 0+50 of 5", "6 failed 0+60 of 5"],
      ...["7 cancelled 0+70 of 5"],
    ],
    calls: [
      ...["start 5 201", "start 6 201", "start 7 201"],
      ...["stop 5 200", "stop 6 200", "stop 7 200"],
    ],
  },
  {
    name: "components of a heterogeneous job are jobs of their own",
    steps: [
      [
        record("RUNNING", 0),
        record("RUNNING", 0, undefined, {
          jobId: 6,
          nodes: ["f0102", "f0103"],
        }),
      ],
      [
        record("OUT_OF_MEMORY", 0, 30),
        record("CANCELLED", 0, 31, { jobId: 6, nodes: ["f0102", "f0103"] }),
      ],
    ],
    sacct: ["OUT_OF_MEMORY", "CANCELLED"],
    rows: ["5 out_of_memory 0+30", "6 cancelled 0+31"],
    calls: ["start 5 201", "start 6 201", "stop 5 200", "stop 6 200"],
  },
  {
    name: "a job that lived in an outage has its whole life afterwards",
    steps: [
      "outage begins",
      [record("RUNNING", 0)],
      [record("DEADLINE", 0, 120)],
      "outage ends",
      [record("DEADLINE", 0, 120)],
    ],
    sacct: ["DEADLINE"],
    rows: ["5 deadline 0+120"],
    calls: ["start 5 -", "start 5 -", "start 5 201", "stop 5 200"],
  },
  {
    name:
      "an adapter that begins anew tells everything again and changes nothing",
    steps: [
      [record("RUNNING", 0)],
      [record("PENDING", 0, 100)],
      "forget",
      [record("RUNNING", 700)],
      "restart",
      // The record of the first run once more, as `sacct --duplicates` has it.
      [record("PENDING", 0, 100)],
      "restart",
      [record("COMPLETED", 700, 900)],
      "restart",
      [record("PENDING", 0, 100)],
      "restart",
      [record("COMPLETED", 700, 900)],
    ],
    sacct: ["REQUEUED", "COMPLETED"],
    rows: ["5 preempted 0+100", "5 completed 700+200"],
    calls: [
      ...["start 5 201", "stop 5 200", "start 5 201"],
      // The end of the first run is not that of the second.
      ...["stop 5 422", "stop 5 200"],
      ...["start 5 422", "stop 5 422", "start 5 422", "stop 5 422"],
    ],
  },
  {
    name: "a clock that is ahead of ours is believed",
    steps: [
      [record("RUNNING", 3600 + 90)],
      [record("BOOT_FAIL", 3600 + 90, 3600 + 100)],
    ],
    sacct: ["BOOT_FAIL"],
    rows: ["5 boot_fail 3690+10"],
    calls: ["start 5 201", "stop 5 200"],
  },
];

for (const life of LIVES) {
  Deno.test(`as Slurm tells it: ${life.name}`, async () => {
    await using server = await JobApiServer.start();
    const adapter = await SlurmAdapter.connect(server);
    for (const step of life.steps) await take(adapter, step);
    assert.deepEqual(adapter.calls, life.calls);
    const rows = await server.tables.jobs.list({}, { limit: 100 });
    assert.deepEqual(
      rows.sort((a, b) =>
        Number(a.jobId) - Number(b.jobId) || a.startTime - b.startTime
      )
        .map((row) =>
          `${row.jobId} ${row.jobState} ${row.startTime - T}` +
          (row.jobState === "running" ? "" : `+${row.duration}`) +
          (row.arrayJobId === 0 ? "" : ` of ${row.arrayJobId}`)
        ),
      life.rows,
    );
    // Only what runs keeps its nodes.
    const used = await server.expect(
      200,
      "GET",
      `/api/jobs/used_nodes?ts=${nowSec() + 86_400}`,
    );
    const running = rows.filter(({ jobState }) => jobState === "running");
    assert.deepEqual(
      used.json.usedNodes,
      running.length === 0 ? {} : { fritz: ["f0101"] },
    );
  });
}

async function take(adapter: SlurmAdapter, step: Step): Promise<void> {
  switch (step) {
    case "forget":
      for (let i = 0; i < CACHE_POLLS; i++) await adapter.poll([]);
      return;
    case "restart":
      return await adapter.restart();
    case "outage begins":
    case "outage ends":
      adapter.isOut = step === "outage begins";
      return;
    default: {
      const isDone = await adapter.poll(step);
      assert.equal(isDone, !adapter.isOut, JSON.stringify(adapter.calls));
    }
  }
}

Deno.test("each run of a requeued job is archived in a place of its own", async () => {
  await using server = await JobApiServer.start();
  const body = { cluster: "fritz", user: "eve", project: "p1", numNodes: 1 };
  const ids: number[] = [];
  for (
    const [start, end, state] of [[0, 60, "pending"], [
      60,
      90,
      "failed",
    ]] as const
  ) {
    const id = await server.startJob({
      ...{ ...body, jobId: 4711, resources: [{ hostname: "f0101" }] },
      ...{ startTime: T + start },
    } as { jobId: number; cluster: string });
    ids.push(id);
    await server.stopAndArchive(id, T + end, state);
  }
  for (const [i, start] of [0, 60].entries()) {
    const meta = JSON.parse(
      await Deno.readTextFile(
        `${server.archiveRoot}/fritz/4/711/${T + start}/meta.json`,
      ),
    );
    assert.equal(meta.id, ids[i]);
    assert.equal(meta.jobState, ["preempted", "failed"][i]);
  }
});
