/** That docs/operations.md has every metric that a server tells, and no other. */
import assert from "node:assert/strict";
import { Child, freePort } from "../support/child.ts";
import {
  makeDirectory,
  programArguments,
  ROOT,
  workDirectory,
} from "../support/server.ts";

const START_MS = 20_000;
const PAGE = await Deno.readTextFile(`${ROOT}docs/operations.md`);

/** Everything that brings metrics of its own is switched on; no broker is needed. */
function configuration(directory: string): unknown {
  return {
    main: {
      addr: "127.0.0.1:0",
      db: `${directory}/job.db`,
      "metrics-public": true,
      "api-subjects": {
        "subject-job-event": "jobs",
        "subject-node-state": "nodes",
      },
    },
    metrics: { cpu_load: { frequency: 60, aggregation: "avg" } },
    "metric-store": {
      "retention-in-memory": "1h",
      "memory-cap": 1,
      "num-workers": 2,
      checkpoints: { directory: `${directory}/checkpoints` },
      cleanup: { mode: "archive", directory: `${directory}/parquet` },
      "nats-subscriptions": [{ "subscribe-to": "hpc.>" }],
    },
    nats: { address: `nats://127.0.0.1:${freePort()}` },
    archive: { path: `${directory}/job-archive` },
  };
}

Deno.test("docs/operations.md has every metric of a running server, and no other", async () => {
  const directory = await makeDirectory();
  try {
    const config = `${directory}/config.json`;
    await Deno.writeTextFile(config, JSON.stringify(configuration(directory)));
    const child = new Child({
      command: Deno.execPath(),
      args: [...programArguments(), "-config", config],
      cwd: workDirectory(),
    });
    try {
      const url = await child.until(
        "the address",
        START_MS,
        () => /listening on (\S+)/.exec(child.output)?.[1],
      );
      await child.untilAnswers(`${url}/ready`, 200, START_MS);
      const text = await (await fetch(`${url}/metrics`)).text();
      const told = [...text.matchAll(/^# TYPE (\S+) /gm)].map((match) =>
        match[1]!
      );
      const documented = [...PAGE.matchAll(/^\| `(ringstore_\w+)` +\|/gm)]
        .map((match) => match[1]!);
      assert.ok(told.length > 50, text);
      assert.deepEqual(documented.toSorted(), told.toSorted());
    } finally {
      await child.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
