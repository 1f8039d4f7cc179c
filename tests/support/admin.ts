/** The service of the admin API, put together as the server does it. */
import { AdminService } from "../../src/admin/tenants/admin_service.ts";
import type { Applied } from "../../src/admin/tenants/changes.ts";
import { KnownClusters } from "../../src/admin/tenants/known_clusters.ts";
import type { RemoteTables } from "../../src/db/remote.ts";
import type { MetricEngine } from "../../src/metricstore/engine/metric_engine.ts";
import { memoryTables } from "./memory_tables.ts";

export interface TestAdminOptions {
  readonly engine: MetricEngine;
  /** Absent: a database in memory. */
  readonly tables?: RemoteTables;
  readonly configured?: readonly string[];
  readonly licenceDirectory?: string;
  readonly applied?: Applied;
  /** Problems that were logged. */
  readonly problems?: string[];
}

export async function testAdmin(
  options: TestAdminOptions,
): Promise<AdminService> {
  const { problems = [] } = options;
  const tables = options.tables ?? memoryTables();
  const note = (message: string, fields: Record<string, unknown> = {}) => {
    problems.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = {
    err: note,
    warnOnce: (
      _subject: string,
      message: string,
      fields?: Record<string, unknown>,
    ) => note(message, fields),
  };
  return new AdminService({
    tables,
    clusters: await KnownClusters.open({
      table: tables.clusters,
      engine: options.engine,
      configured: options.configured ?? [],
      baseUrl: "https://metrics.example",
      log,
    }),
    licenceDirectory: options.licenceDirectory ?? "",
    log,
    applied: options.applied ?? (() => Promise.resolve()),
  });
}
