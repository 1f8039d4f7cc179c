/** Puts the service of the admin API together. Main thread, at start. */
import type { AccessControl } from "../../access/access_control.ts";
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import type { Config } from "../../config/settings/mod.ts";
import type { RemoteTables } from "../../db/remote.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { Log } from "../../base/log.ts";
import { AdminService } from "./admin_service.ts";
import { KnownClusters } from "./known_clusters.ts";

export interface AdminStart {
  readonly config: Pick<Config, "main" | "clusters">;
  /** Of the cluster configurations. */
  readonly clusters: ClusterCatalog;
  readonly tables: RemoteTables;
  readonly engine: MetricEngine;
  readonly access: AccessControl;
  readonly log: Log;
}

/** Rejects when the database cannot be used. */
export async function startAdmin(start: AdminStart): Promise<AdminService> {
  const { config, clusters, tables, engine, access, log } = start;
  return new AdminService({
    tables,
    clusters: await KnownClusters.open({
      table: tables.clusters,
      engine,
      configured: [...clusters.names, ...Object.keys(config.clusters)],
      baseUrl: config.main["base-url"],
      log,
    }),
    licenceDirectory: config.main["license-dir"],
    log,
    applied: (changed) => access.reload(changed),
  });
}
