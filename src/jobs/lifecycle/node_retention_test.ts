import assert from "node:assert/strict";
import type { RemoteTables } from "../../db/remote.ts";
import type { NodeReport } from "../../db/node_table.ts";
import { memoryTables } from "../../../tests/support/memory_tables.ts";
import { keepNodeStates } from "./node_retention.ts";

const HOUR_SEC = 3600;
const NOW = 1_700_000_000;
const OLD = NOW - 25 * HOUR_SEC;

function node(hostname: string): NodeReport {
  return {
    ...{ hostname, subCluster: "main", state: "idle", health: "full" },
    healthMetrics: { missing: [], degraded: [] },
    ...{ jobsRunning: 0, cpusAllocated: 0, memoryAllocated: 0 },
    gpusAllocated: 0,
  };
}

/** More old rows than are taken at a time; `quiet` was told of only once. */
async function history(): Promise<RemoteTables> {
  const tables = memoryTables();
  await tables.nodes.report("fritz", OLD - 5, [node("quiet")]);
  const hosts = Array.from({ length: 3000 }, (_, i) => node(`f${i}`));
  await tables.nodes.report("fritz", OLD - 2, hosts);
  await tables.nodes.report("fritz", OLD - 1, hosts);
  await tables.nodes.report("fritz", NOW - 60, hosts);
  return tables;
}

Deno.test("keepNodeStates() deletes old states but the newest of each node", async () => {
  const tables = await history();
  await keepNodeStates({ tables }, { policy: "delete", age: 24 }, NOW);
  const latest = await tables.nodes.latest("fritz");
  assert.equal(latest.length, 3001);
  assert.equal(
    latest.find(({ hostname }) => hostname === "quiet")?.time,
    OLD - 5,
  );
  assert.deepEqual(await tables.nodes.oldStates(NOW, 10), []);
});

Deno.test("keepNodeStates() leaves states that are younger than the age", async () => {
  const tables = await history();
  await keepNodeStates({ tables }, { policy: "delete", age: 26 }, NOW);
  assert.equal((await tables.nodes.oldStates(NOW, 10_000)).length, 6000);
});

Deno.test("keepNodeStates() moves old states into a file, a line each, before it deletes them", async () => {
  const tables = await history();
  const directory = await Deno.makeTempDir({ prefix: "ringstore-" });
  try {
    const target = `${directory}/new/states`;
    await keepNodeStates(
      { tables },
      { policy: "move", age: 24, "target-path": target },
      NOW,
    );
    const [file] = [...Deno.readDirSync(target)];
    const text = await Deno.readTextFile(`${target}/${file!.name}`);
    const rows = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(rows.length, 6000);
    assert.deepEqual(
      new Set(rows.map(({ time }) => time)),
      new Set([OLD - 2, OLD - 1]),
    );
    assert.equal(rows[0].hostname, "f0");
    assert.deepEqual(await tables.nodes.oldStates(NOW, 10), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("keepNodeStates() deletes nothing where it cannot write", async () => {
  const tables = await history();
  await assert.rejects(
    keepNodeStates(
      { tables },
      { policy: "move", age: 24, "target-path": "/dev/null/states" },
      NOW,
    ),
  );
  assert.equal((await tables.nodes.oldStates(NOW, 10_000)).length, 6000);
});
