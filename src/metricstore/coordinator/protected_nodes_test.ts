/** The protected nodes, for each answer of the provider and for its failures. */
import assert from "node:assert/strict";
import { shardOf } from "../transport/messages.ts";
import type { UsedNodes } from "../engine/node_provider.ts";
import { type ProtectedByCluster, ProtectedNodes } from "./protected_nodes.ts";

const LONG_SEC = 1e6;
/** Over as soon as it began. */
const NO_TIME_SEC = Number.EPSILON;
const SHARDS = 3;

function spare(answers: (UsedNodes | Error)[], retentionSec: number) {
  const told: [number, ProtectedByCluster][] = [];
  const notices: string[] = [];
  const it = new ProtectedNodes({
    provider: {
      usedNodes() {
        const answer = answers.shift()!;
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(answer);
      },
    },
    shards: SHARDS,
    retentionSec,
    tell: (shard, nodes) => Promise.resolve(told.push([shard, nodes])),
    notify: ({ message, fields }) =>
      notices.push(`${message}: ${fields["reason"]}`),
  });
  return { it, told, notices };
}

Deno.test("SparedNodes.refresh() tells every shard the hosts that it owns", async () => {
  const hosts = Array.from({ length: 20 }, (_, i) => `f${i}`);
  const { it, told } = spare([new Map([["fritz", new Set(hosts)]])], LONG_SEC);
  assert.equal(await it.refresh(), true);
  assert.deepEqual(told.map(([shard]) => shard), [0, 1, 2]);
  for (const [shard, [cluster]] of told) {
    const own = hosts.filter((host) =>
      shardOf("", "fritz", host, SHARDS) === shard
    );
    assert.deepEqual(cluster, ["fritz", own]);
  }
});

Deno.test("SparedNodes.refresh() leaves the last answer in force while the provider fails, and says so once", async () => {
  const { it, told, notices } = spare([
    new Map(),
    new Error("down"),
    new Error("still down"),
    new Map(),
    new Error("down again"),
  ], LONG_SEC);
  for (let i = 0; i < 5; i++) assert.equal(await it.refresh(), true);
  assert.equal(told.length, 2 * SHARDS);
  assert.deepEqual(
    notices.map((text) => text.replace(/.*: /, "")),
    ["down", "undefined", "down again"],
  );
});

Deno.test("SparedNodes.refresh() spares nobody when the provider has failed for a retention period", async () => {
  const { it, told } = spare([
    new Map([["fritz", new Set(["f0201"])]]),
    new Error("down"),
  ], NO_TIME_SEC);
  await it.refresh();
  await it.refresh();
  assert.deepEqual(told.slice(SHARDS).map(([, nodes]) => nodes), [[], [], []]);
});

Deno.test("SparedNodes.refresh() tells nothing before the provider has answered once", async () => {
  const { it, told } = spare([new Error("down")], LONG_SEC);
  assert.equal(await it.refresh(), false);
  assert.deepEqual(told, []);
});
