/**
 * A server that root starts and that becomes somebody else: what it goes on writing
 * belongs to that user. Where the tests do not run as root, they say so and do
 * nothing.
 */
import assert from "node:assert/strict";
import { printLine } from "../src/app/cli/output.ts";
import { nowSec } from "../src/base/clock.ts";
import { readSeries, untilSnapshots, write } from "./crash/answers.ts";
import { workDirectory } from "./support/server.ts";
import { DurableServer, type StoreSettings } from "./crash/durable_server.ts";

const METRICS = { load: { frequency: 10, aggregation: "avg" } } as const;
const START_SEC = nowSec() - 3600;

/** Somebody who owns nothing here. */
const NOBODY = 65534;
const SETTINGS: StoreSettings = {
  metrics: METRICS,
  main: { user: String(NOBODY), group: String(NOBODY) },
  store: { "checkpoint-interval": "1s" },
  checkpoints: { "max-wal-size": 1 },
};

function lines(count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `load,cluster=c,hostname=h${i} value=${i} ${START_SEC}`,
  );
}

Deno.test("a server that becomes another user can write what it made before, and after a restart", async () => {
  if (Deno.uid() !== 0) return printLine("not tested, only root can do it");
  await using server = await DurableServer.create();
  // Directories of tests are their user's alone; those of the server it hands over.
  Deno.chmodSync(workDirectory(), 0o755);
  Deno.chmodSync(`${workDirectory()}/var`, 0o700);
  await server.start(SETTINGS);
  for (const shard of [0, 1]) {
    const { uid, gid } = Deno.lstatSync(server.shardDirectory(2, shard));
    assert.deepEqual([uid, gid], [NOBODY, NOBODY]);
  }
  await write(server, lines(20));
  const snapshots = await untilSnapshots(server, [0, 1], 2);
  await server.restart(SETTINGS);
  await write(server, lines(21));
  await untilSnapshots(server, [0, 1], 2, snapshots);
  assert.equal(/denied/i.test(server.child.output), false, server.child.output);
  for (let i = 0; i < 21; i++) {
    const entry = await readSeries(server, {
      cluster: "c",
      host: `h${i}`,
      metric: "load",
      from: START_SEC,
      to: START_SEC + 10,
    });
    assert.deepEqual(entry?.data, [i]);
  }
});

Deno.test("a server says which user it does not know", async () => {
  if (Deno.uid() !== 0) return printLine("not tested, only root can do it");
  await using server = await DurableServer.create();
  const child = await server.spawn({
    metrics: METRICS,
    main: { user: "no-such-user" },
  });
  assert.equal((await child.ended()).code, 1);
  assert.match(
    child.output,
    /main\.user: no-such-user is not in \/etc\/passwd; give its number/,
  );
});
