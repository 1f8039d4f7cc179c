/**
 * The health of nodes over the shards. How much the answer may become is known before
 * anything is made, and each shard is asked in slices, so that neither it nor the main
 * thread has much to do at a time. Main thread only.
 */
import type { Ask } from "../transport/messages.ts";
import type { DataScope } from "../engine/data_scope.ts";
import type { NodeHealth } from "../engine/metric_engine.ts";
import {
  boundProduct,
  charsOf,
  ENTRIES_MAX,
  HEALTH_CHARS_MAX,
} from "../engine/request_bounds.ts";
import { inTurns } from "./in_turns.ts";
import {
  demandCluster,
  timesOfCluster,
  viewOfCluster,
} from "./scope_checks.ts";
import type { ShardReply } from "./shard_calls.ts";

/** Nodes times names of a slice, and their characters. */
const SLICE_PAIRS = 1 << 14;
const SLICE_CHARS = 1 << 20;
/**
 * Nodes of a slice of a question that names no metrics: a cluster has some dozens of
 * metrics.
 */
const SLICE_NODES = 256;

export interface HealthShards {
  ownerOf(host: string): number;
  ask(
    shard: number,
    ask: Extract<Ask, { kind: "health" }>,
  ): Promise<ShardReply<"health">>;
}

export interface HealthQuestion {
  readonly cluster: string;
  readonly nodes: readonly string[];
  /** `undefined`: all metrics of the cluster. */
  readonly metrics: readonly string[] | undefined;
}

/**
 * The health of each node; nodes and names that come again count once. Rejects with a
 * `ClientError`: 422 where nodes times names are too many, 403 outside of the scope.
 */
export async function healthOfNodes(
  shards: HealthShards,
  scope: DataScope,
  { cluster, ...listed }: HealthQuestion,
): Promise<ReadonlyMap<string, NodeHealth>> {
  demandCluster(scope, cluster);
  const times = timesOfCluster(scope, cluster);
  const known = new Set<string>();
  const byShard = new Map<number, string[]>();
  const cutting = inTurns(listed.nodes.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const node = listed.nodes[i]!;
      if (known.has(node)) continue;
      known.add(node);
      const shard = shards.ownerOf(node);
      const own = byShard.get(shard);
      if (own === undefined) byShard.set(shard, [node]);
      else own.push(node);
    }
  });
  if (cutting !== undefined) await cutting;
  const nodes = [...known];
  const metrics = listed.metrics && [...new Set(listed.metrics)];
  boundHealth(nodes, metrics ?? []);
  const visible = {
    instance: scope.instance,
    ...viewOfCluster(scope, cluster),
  };
  const atOnce = nodesAtOnce(metrics);
  const found = new Map<string, NodeHealth>();
  await Promise.all([...byShard].map(async ([shard, names]) => {
    for (let at = 0; at < names.length; at += atOnce) {
      const some = names.slice(at, at + atOnce);
      const { reply } = await shards.ask(shard, {
        kind: "health",
        ...visible,
        cluster,
        nodes: some,
        metrics,
        ...(times === undefined ? {} : {
          times: some.flatMap((name) => {
            const ofHost = times.get(name);
            return ofHost === undefined ? [] : [[name, ofHost] as const];
          }),
        }),
      });
      some.forEach((name, i) => found.set(name, reply.nodes[i]!));
    }
  }));
  return found;
}

/** Every name may be missing at every node, and is listed there then. */
function boundHealth(
  nodes: readonly string[],
  metrics: readonly string[],
): void {
  const factors = { count: nodes.length, of: "nodes" };
  boundProduct({ max: ENTRIES_MAX, of: "entries" }, [
    factors,
    { count: Math.max(1, metrics.length), of: "names of metrics" },
  ]);
  boundProduct({ max: HEALTH_CHARS_MAX, of: "characters" }, [
    factors,
    { count: charsOf(metrics), of: "characters of names of metrics" },
  ], charsOf(nodes));
}

function nodesAtOnce(metrics: readonly string[] | undefined): number {
  if (metrics === undefined) return SLICE_NODES;
  const most = Math.min(
    SLICE_PAIRS / Math.max(1, metrics.length),
    SLICE_CHARS / Math.max(1, charsOf(metrics)),
  );
  return Math.max(1, Math.floor(most));
}
