/**
 * One instance that writes new series as fast as it can, near `memory-cap`: it is
 * refused them, and nobody else loses a sample.
 */
import assert from "node:assert/strict";
import { nowSec } from "../src/base/clock.ts";
import { readSeries } from "./crash/answers.ts";
import { DurableServer } from "./crash/durable_server.ts";

const HOSTS = ["n01", "n02", "n03", "n04"];
const STEP_SEC = 60;
/** 40 hours. */
const SLOTS = 2400;
const LINES_A_REQUEST = 10_000;
/** More than this the cap would not hold even without anything else in it. */
const REQUESTS_MAX = 20;

Deno.test("an instance that fills the memory with new series is refused, and others lose nothing", async () => {
  await using server = await DurableServer.create();
  const settings = {
    metrics: { load: { frequency: STEP_SEC, aggregation: null } },
    store: { "memory-cap": 0.3 },
  } as const;
  await server.start(settings);
  const endSec = nowSec();
  const startSec = endSec - SLOTS * STEP_SEC;
  const lines = HOSTS.flatMap((host) =>
    Array.from(
      { length: SLOTS },
      (_, i) =>
        `load,cluster=c,hostname=${host} value=${i % 89} ${
          startSec + i * STEP_SEC
        }`,
    )
  );
  assert.equal((await server.client.write(lines.join("\n"))).status, 200);
  const made = await server.client.send({
    method: "POST",
    path: "/admin/api/v1/instances",
    // The limit of series would come before the memory does.
    body: JSON.stringify({
      ...{ name: "dev", cluster: "c", limits: { max_series: 0 } },
    }),
  });
  assert.equal(made.status, 201, made.text);

  let refused = 0;
  for (let request = 0; request < REQUESTS_MAX; request++) {
    const body = Array.from(
      { length: LINES_A_REQUEST },
      (_, i) =>
        `load,hostname=h${request},type=core,type-id=${i} value=1 ${endSec}`,
    ).join("\n");
    const answer = await server.client.send({
      method: "POST",
      path: "/api/write",
      headers: { "X-Scope-OrgID": "dev" },
      body,
    });
    if (answer.status === 429) {
      assert.match(answer.text, /memory-cap/);
      refused++;
    } else assert.equal(answer.status, 200, answer.text);
  }
  assert.ok(refused > REQUESTS_MAX / 2, `${refused} refused`);

  const keptAll = async () => {
    for (const host of HOSTS) {
      const seen = await readSeries(server, {
        ...{ cluster: "c", host, metric: "load" },
        ...{ from: startSec, to: endSec },
      });
      assert.deepEqual(
        seen?.data,
        Array.from({ length: SLOTS }, (_, i) => i % 89),
      );
    }
  };
  await keptAll();
  // Who has its share left makes series still.
  const late = await server.client.write(
    `load,cluster=c,hostname=late value=1 ${endSec}`,
  );
  assert.equal(late.status, 200, late.text);
  await server.kill();
  await server.start(settings);
  await keptAll();
});
