/**
 * A tenant that does its worst, in every way that the benchmark of neighbours knows:
 * what another tenant writes meanwhile is taken, and all of it can be read.
 */
import assert from "node:assert/strict";
import {
  LOAD_CLUSTER,
  LOAD_METRICS,
  LOAD_STEP_SEC,
} from "../benches/support/load.ts";
import {
  addTenant,
  attack,
  ATTACK_NAMES,
  Collector,
  makeClusterKnown,
  QUIET,
  WORST,
} from "../benches/support/neighbours.ts";
import { TestClient } from "./support/client.ts";
import { TestServer } from "./support/server.ts";

const ROUNDS = 5;
/** Far above any wait on a busy machine; a collector gives up later. */
const WRITE_MS = 10_000;

Deno.test("a tenant loses nothing beside one that does its worst", async (t) => {
  await using server = await TestServer.start({ metrics: LOAD_METRICS });
  const port = Number(new URL(server.url).port);
  await makeClusterKnown(port);
  const quiet = await addTenant(port, QUIET);
  const worst = await addTenant(port, WORST);
  const collector = await Collector.open(port, quiet, 1);
  const client = new TestClient(server.url);
  try {
    for (const name of ATTACK_NAMES) {
      await t.step(name, async () => {
        const going = await attack(name, port, worst);
        const { failures, latenciesMs } = await collector.run(ROUNDS, 0);
        assert.ok(await going.stop() >= 0);
        assert.equal(failures, 0);
        assert.ok(Math.max(...latenciesMs) < WRITE_MS, latenciesMs.join());
      });
    }
    const from = collector.firstSec;
    const answer = await client.send({
      method: "POST",
      path: "/api/query",
      headers: { "X-Scope-OrgID": QUIET },
      body: JSON.stringify({
        cluster: LOAD_CLUSTER,
        ...{ from, to: from + collector.written * LOAD_STEP_SEC },
        "with-padding": false,
        queries: [{ metric: "mem_used", host: "f0000" }],
      }),
    });
    assert.equal(answer.status, 200, answer.text);
    const [[entry]] = JSON.parse(answer.text).results;
    assert.equal(entry.data.length, ROUNDS * ATTACK_NAMES.length);
    assert.ok(entry.data.every((value: unknown) => typeof value === "number"));
  } finally {
    client.close();
    collector.close();
  }
});
