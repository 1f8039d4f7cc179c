/**
 * Checks a data scope before any shard is asked: which clusters may be named. The
 * answer does not depend on stored samples, so it tells nothing about them. Main
 * thread.
 */
import { ClientError } from "../../base/errors.ts";
import type { AskedView, BatchContext } from "../transport/messages.ts";
import type {
  ClusterGrant,
  DataScope,
  ScopeView,
} from "../engine/data_scope.ts";

/**
 * UTF-8 bytes of the context that goes with each frame of a batch; frames between
 * shards hold 64 KiB.
 */
const CONTEXT_BYTES_MAX = 16 << 10;
const ENCODER = new TextEncoder();

/** Throws a {@linkcode ClientError} (403) unless a grant names the cluster. */
export function demandCluster(scope: DataScope, cluster: string): void {
  const { view } = scope;
  if (view === undefined || view.grants.some((one) => covers(one, cluster))) {
    return;
  }
  throw new ClientError(
    "E_FORBIDDEN",
    `no access to cluster ${JSON.stringify(cluster)}`,
  );
}

/**
 * When samples of the hosts of a cluster may be seen; `undefined`: at any time. Throws
 * a {@linkcode ClientError} (403) where that is not known yet: nothing is decided.
 */
export function timesOfCluster(
  { owner, times }: DataScope,
  cluster: string,
): ReadonlyMap<string, readonly number[]> | undefined {
  if (owner === undefined && times === undefined) return undefined;
  if (times?.cluster === cluster) return times.byHost;
  throw new ClientError(
    "E_FORBIDDEN",
    "only what was measured while jobs ran may be seen, and it is not known when",
  );
}

/** Throws a {@linkcode ClientError} (403) where only a part of the times may be seen. */
export function demandAllTimes({ owner, times }: DataScope): void {
  if (owner === undefined && times === undefined) return;
  throw new ClientError(
    "E_FORBIDDEN",
    "only the metrics of jobs may be seen, by queries and health checks",
  );
}

/**
 * Returns the view that shards need for a question about one cluster; without `view` if
 * all of the cluster is visible.
 */
export function viewOfCluster(
  { view }: DataScope,
  cluster: string,
): { readonly view?: AskedView } {
  if (view === undefined) return {};
  let known = askedViews.get(view);
  if (known === undefined) askedViews.set(view, known = new Map());
  let asked = known.get(cluster);
  if (asked === undefined) {
    const grants = view.grants.filter((one) => covers(one, cluster));
    asked = grants.some(isUnlimited) ? ALL : {
      view: { id: view.id, grants: JSON.stringify(grants) },
    };
    if (known.size >= CLUSTERS_MAX) known.clear();
    known.set(cluster, asked);
  }
  return asked;
}

/** Views as they are sent to shards, by cluster. */
const askedViews = new WeakMap<
  ScopeView,
  Map<string, { readonly view?: AskedView }>
>();
/** Clusters of one view for which it is remembered. */
const CLUSTERS_MAX = 64;
/** Nothing is hidden. */
const ALL = {};

/** The same for a question about all of the instance. */
export function wholeView(scope: DataScope): { readonly view?: AskedView } {
  const { view } = scope;
  if (
    view === undefined ||
    view.grants.some((one) => one.cluster === "*" && isUnlimited(one))
  ) return {};
  return { view: { id: view.id, grants: JSON.stringify(view.grants) } };
}

/**
 * Clusters that a dump may show, absent: all. Throws a {@linkcode ClientError}
 * (403) where less than whole clusters is granted, or not the one asked for.
 */
export function dumpedClusters(
  scope: DataScope,
  cluster: string | undefined,
): { readonly clusters?: readonly string[] } {
  const { view } = scope;
  if (view === undefined) return {};
  if (!view.grants.every(isUnlimited)) {
    throw new ClientError(
      "E_FORBIDDEN",
      "a dump of the memory cannot be narrowed by label policies",
    );
  }
  if (cluster !== undefined) demandCluster(scope, cluster);
  const clusters = grantedClusters(view);
  return clusters === undefined ? {} : { clusters };
}

/**
 * Encodes the context of a batch for the shards, as bytes of JSON. Throws a {@linkcode
 * ClientError} (413) if the names of clusters do not fit into a frame.
 */
export function encodeBatchContext(
  scope: DataScope,
  defaultCluster: string,
): Uint8Array<ArrayBuffer> {
  const known = batchContexts.get(scope);
  if (known?.defaultCluster === defaultCluster) return known.bytes;
  const bytes = encodeNewContext(scope, defaultCluster);
  batchContexts.set(scope, { defaultCluster, bytes });
  return bytes;
}

/** The context of a scope's last batch: the next one mostly has the same. */
const batchContexts = new WeakMap<DataScope, {
  readonly defaultCluster: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}>();

function encodeNewContext(
  scope: DataScope,
  defaultCluster: string,
): Uint8Array<ArrayBuffer> {
  const clusters = scope.view && grantedClusters(scope.view);
  const context: BatchContext = {
    instance: scope.instance,
    defaultCluster,
    ...(clusters === undefined ? {} : { clusters }),
    ...(scope.maxSeries === 0 ? {} : { maxSeries: scope.maxSeries }),
  };
  const bytes = ENCODER.encode(JSON.stringify(context));
  if (bytes.length <= CONTEXT_BYTES_MAX) return bytes;
  throw new ClientError(
    "E_TOO_LARGE",
    `the default cluster and the clusters that may be written to take ${bytes.length} bytes, at most ${CONTEXT_BYTES_MAX} are allowed`,
  );
}

/** In one order, so that equal permissions share what shards learn; `undefined`: any. */
function grantedClusters(view: ScopeView): string[] | undefined {
  const names = new Set(view.grants.map((grant) => grant.cluster));
  return names.has("*") ? undefined : [...names].sort();
}

function covers(grant: ClusterGrant, cluster: string): boolean {
  return grant.cluster === "*" || grant.cluster === cluster;
}

function isUnlimited(grant: ClusterGrant): boolean {
  return grant.selectors.length === 0;
}
