/**
 * All configured clusters, and to which sub-cluster a node or a job belongs (job-api
 * 5.3). A reload replaces its content as a whole. Main thread.
 */
import { ClientError } from "../../base/errors.ts";
import type { Cluster, SubCluster } from "./cluster.ts";
import { clusterJson } from "./cluster_json.ts";
import { isWildcard } from "./cluster_schema.ts";
import { NodesExpression } from "./nodes_expression.ts";

interface Entry {
  readonly cluster: Cluster;
  /** In the order of the file, wildcards left out. */
  readonly expressions: readonly (readonly [NodesExpression, SubCluster])[];
}

export class ClusterCatalog {
  #entries: ReadonlyMap<string, Entry>;

  /** Names must differ; they are listed in alphabetical order. */
  constructor(clusters: readonly Cluster[]) {
    const sorted = [...clusters].sort((a, b) => a.name < b.name ? -1 : 1);
    this.#entries = new Map(sorted.map((cluster) => [cluster.name, {
      cluster,
      expressions: cluster.subClusters.flatMap((subCluster) =>
        isWildcard(subCluster.nodes)
          ? []
          : [[new NodesExpression(subCluster.nodes), subCluster] as const]
      ),
    }]));
  }

  /** Takes over the content of another catalog (reload). */
  replace(other: ClusterCatalog): void {
    this.#entries = other.#entries;
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get clusters(): readonly Cluster[] {
    return [...this.#entries.values()].map(({ cluster }) => cluster);
  }

  get(name: string): Cluster | undefined {
    return this.#entries.get(name)?.cluster;
  }

  subCluster(cluster: string, name: string): SubCluster | undefined {
    return this.get(cluster)?.subClusters.find((one) => one.name === name);
  }

  /**
   * The sub-cluster of a node: the first whose `nodes` has the name, else the
   * first of the cluster where its `nodes` is `*` or empty.
   */
  subClusterOfNode(cluster: string, host: string): SubCluster | undefined {
    const entry = this.#entries.get(cluster);
    const match = entry?.expressions.find(([nodes]) => nodes.matches(host));
    if (match !== undefined) return match[1];
    const first = entry?.cluster.subClusters[0];
    return first !== undefined && isWildcard(first.nodes) ? first : undefined;
  }

  /**
   * The sub-cluster of a job: the one it names, else that of its first host.
   * Throws `E_BAD_REQUEST` where there is none.
   */
  subClusterOfJob(
    job: {
      readonly cluster: string;
      readonly subCluster: string;
      readonly resources: readonly { readonly hostname: string }[];
    },
  ): SubCluster {
    const { cluster, subCluster, resources } = job;
    if (!this.#entries.has(cluster)) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `cluster: ${JSON.stringify(cluster)} is not configured`,
      );
    }
    if (subCluster !== "") {
      const named = this.subCluster(cluster, subCluster);
      if (named !== undefined) return named;
      throw new ClientError(
        "E_BAD_REQUEST",
        `subCluster: cluster ${cluster} has no ${JSON.stringify(subCluster)}`,
      );
    }
    const host = resources[0]?.hostname;
    const found = host === undefined
      ? undefined
      : this.subClusterOfNode(cluster, host);
    if (found !== undefined) return found;
    throw new ClientError(
      "E_BAD_REQUEST",
      host === undefined
        ? "resources: at least one is needed to find the sub-cluster"
        : `resources.0.hostname: no sub-cluster of ${cluster} has the node ${
          JSON.stringify(host)
        }`,
    );
  }

  /**
   * The answer of `/api/clusters/`: all clusters, or the one named. Throws
   * `E_BAD_REQUEST` for a name that is not configured.
   */
  toJson(name?: string): { readonly clusters: Record<string, unknown>[] } {
    if (name === undefined) {
      return { clusters: this.clusters.map(clusterJson) };
    }
    const cluster = this.get(name);
    if (cluster === undefined) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `cluster: ${JSON.stringify(name)} is not configured`,
      );
    }
    return { clusters: [clusterJson(cluster)] };
  }
}
