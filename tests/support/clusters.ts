/** The real cluster configurations of the test data, and small ones made up. */
import type { Cluster } from "../../src/config/clusters/cluster.ts";
import { ClusterCatalog } from "../../src/config/clusters/cluster_catalog.ts";
import { readClusterFile } from "../../src/config/clusters/cluster_file.ts";

export const CLUSTERS_DIRECTORY = new URL(
  "../testdata/clusters/",
  import.meta.url,
);

export function realCatalog(): ClusterCatalog {
  return new ClusterCatalog(["fritz", "alex", "emmy"].map((name) => {
    const file = new URL(`${name}.json`, CLUSTERS_DIRECTORY);
    return readClusterFile(file.pathname).cluster;
  }));
}

/** Reads `json` as if it were the file `cluster.json`. */
export function clusterOf(json: unknown): Cluster {
  return readClusterFile("cluster.json", () => JSON.stringify(json)).cluster;
}
