/** Instances, the tenants: rules and representation. Main thread. */
import type { z } from "zod";
import type { InstanceLimits, InstanceRow } from "../../db/instance_table.ts";
import type { RemoteTables } from "../../db/remote.ts";
import type { Changes } from "./changes.ts";
import type { KnownClusters } from "./known_clusters.ts";
import {
  badRequest,
  checkCount,
  checkSame,
  demand,
  type Shown,
  type VersionCheck,
} from "./resource.ts";
import type {
  instanceChangeSchema,
  instanceSchema,
  newInstanceSchema,
} from "./schemas.ts";
import { INSTANCES_MAX } from "../../metricstore/transport/instance_counts.ts";

export type Instance = z.infer<typeof instanceSchema>;
type LimitsOnWire = NonNullable<Instance["limits"]>;

/** Of a new instance that names no limit of its own; thirteen times Mimir's. */
const MAX_SERIES_DEFAULT = 2_000_000;

/** What changes here acts on. */
const CHANGED = ["instances"] as const;

export class Instances {
  readonly #table: RemoteTables["instances"];
  readonly #clusters: KnownClusters;
  readonly #changes: Changes;

  constructor(
    table: RemoteTables["instances"],
    clusters: KnownClusters,
    changes: Changes,
  ) {
    this.#table = table;
    this.#clusters = clusters;
    this.#changes = changes;
  }

  /** By name; `all`: also those that are not active. */
  async list(all: boolean): Promise<Instance[]> {
    const rows = await this.#table.list({ includeInactive: all });
    const instances = rows.map((row) => this.#show(row).value);
    return all
      ? instances
      : instances.filter(({ status }) => status === "active");
  }

  async get(name: string): Promise<Shown<Instance>> {
    return this.#show(await this.#find(name));
  }

  create(given: z.infer<typeof newInstanceSchema>): Promise<Shown<Instance>> {
    const { name, cluster, limits } = given;
    if (!this.#clusters.has(cluster)) {
      throw badRequest(
        `cluster: there is no cluster ${JSON.stringify(cluster.slice(0, 100))}`,
      );
    }
    return this.#changes.make(CHANGED, async () => {
      checkCount("instances", await this.#table.count(), INSTANCES_MAX);
      const row = await this.#table.create({
        name,
        displayName: given.display_name ?? name,
        cluster,
        limits: limitsOfWire({ max_series: MAX_SERIES_DEFAULT, ...limits }),
      });
      return this.#show(row);
    });
  }

  change(
    name: string,
    checkVersion: VersionCheck,
    given: () => z.infer<typeof instanceChangeSchema>,
  ): Promise<Shown<Instance>> {
    return this.#changes.make(CHANGED, async () => {
      const row = await this.#find(name);
      checkVersion(row.version);
      const { display_name, status, limits, ...rest } = given();
      checkSame("name", rest.name, row.name);
      checkSame("cluster", rest.cluster, row.cluster);
      if (status === "unknown" && this.#status(row) !== "unknown") {
        throw badRequest('status: "unknown" cannot be set');
      }
      const changed = await this.#table.update(name, {
        displayName: display_name ?? row.displayName,
        status: status === undefined || status === "unknown"
          ? row.status
          : status,
        limits: { ...row.limits, ...limitsOfWire(limits ?? {}) },
      }, row.version);
      return this.#show(changed);
    });
  }

  /** Makes it inactive: its data is out of reach, and stays. */
  delete(name: string, checkVersion: VersionCheck): Promise<void> {
    return this.#changes.make(CHANGED, async () => {
      const row = await this.#find(name);
      checkVersion(row.version);
      await this.#table.delete(name, row.version);
    });
  }

  async #find(name: string): Promise<InstanceRow> {
    return demand("instance", name, await this.#table.get(name));
  }

  #status(row: InstanceRow): Instance["status"] {
    if (row.status === "inactive") return "inactive";
    return this.#clusters.has(row.cluster) ? "active" : "unknown";
  }

  #show(row: InstanceRow): Shown<Instance> {
    const limits = limitsOnWire(row.limits);
    return {
      value: {
        name: row.name,
        display_name: row.displayName,
        created_at: row.createdAt,
        status: this.#status(row),
        cluster: row.cluster,
        ...(Object.keys(limits).length === 0 ? {} : { limits }),
      },
      version: row.version,
    };
  }
}

function limitsOfWire(limits: LimitsOnWire): InstanceLimits {
  return withoutAbsent({
    maxSeries: limits.max_series,
    ingestionRate: limits.ingestion_rate,
    maxQuerySamples: limits.max_query_samples,
  });
}

function limitsOnWire(limits: InstanceLimits): LimitsOnWire {
  return withoutAbsent({
    max_series: limits.maxSeries,
    ingestion_rate: limits.ingestionRate,
    max_query_samples: limits.maxQuerySamples,
  });
}

function withoutAbsent<Key extends string>(
  limits: Readonly<Record<Key, number | undefined>>,
): Partial<Record<Key, number>> {
  const given = Object.entries(limits).filter(([, value]) =>
    value !== undefined
  );
  return Object.fromEntries(given) as Partial<Record<Key, number>>;
}
