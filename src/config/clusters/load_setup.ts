/**
 * Everything a start reads before it starts anything: `config.json`, the clusters
 * in the job archive, and the metrics of both. Main thread.
 */
import { ConfigError } from "../settings/config_error.ts";
import { loadConfig } from "../settings/load.ts";
import type { ConfigNote } from "../settings/notes.ts";
import { type Config, isArchiveShared } from "../settings/schema.ts";
import type { MetricTable } from "../../metricstore/engine/metric_engine.ts";
import { ClusterCatalog } from "./cluster_catalog.ts";
import { loadClusters, type LoadedClusters } from "./load_clusters.ts";
import { hasMetrics, storeMetrics } from "./store_metrics.ts";

export interface Setup {
  readonly config: Config;
  readonly clusters: ClusterCatalog;
  readonly metrics: MetricTable;
  /** To be logged. */
  readonly notes: readonly ConfigNote[];
}

/** Throws a {@linkcode ConfigError} that lists what is wrong. */
export function loadSetup(configFile: string): Setup {
  const { config, notes } = loadConfig(configFile);
  const loaded = archivedClusters(config);
  const { metrics, notes: differences } = storeMetrics(config, loaded.catalog);
  if (!hasMetrics(metrics)) {
    throw new ConfigError([{
      file: configFile,
      line: 0,
      column: 0,
      path: "metrics",
      found: "no metric",
      expected: whereMetrics(config),
    }]);
  }
  return {
    config,
    clusters: loaded.catalog,
    metrics,
    notes: [...notes, ...loaded.notes, ...differences],
  };
}

function whereMetrics({ archive }: Config): string {
  const here = "at least one, here, in clusters.<cluster>.metrics";
  return archive.kind === "file"
    ? `${here} or in ${archive.path}/<cluster>/cluster.json`
    : `${here}; archive.kind ${
      JSON.stringify(archive.kind)
    } is not served, so that no cluster.json is read`;
}

/** Archives of other kinds are not served, as a note of the configuration says. */
function archivedClusters(config: Config): LoadedClusters {
  const { archive } = config;
  return archive.kind === "file"
    ? loadClusters(archive.path, isArchiveShared(config))
    : { catalog: new ClusterCatalog([]), notes: [] };
}
