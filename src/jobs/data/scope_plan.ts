/**
 * Which series of the metric store make up the metrics of a job: from the parts of its
 * hosts that the job uses, the topology of its nodes and the scopes asked for, one
 * query for each series of the answer (job-api 4.3). Pure.
 *
 * The scope of a result is the coarser of the metric's own and the one asked for.
 * Where it is the own one, each unit that the job touches is a series; else the
 * units below it are combined:
 *
 *     own scope      combined into              members
 *     any            node                       what the job touches of the host
 *     hwthread       core, memoryDomain, socket all threads of the unit
 *     core           memoryDomain, socket       touched cores in it
 *     memoryDomain   socket                     touched domains in it
 *
 * A core or domain lies in the unit that its first thread belongs to. Accelerators
 * are known only one by one and for the node as a whole.
 */
import type { ClusterMetric } from "../../config/clusters/cluster.ts";
import {
  coarserScope,
  type MetricScope,
} from "../../config/clusters/metric_scope.ts";
import type { ThreadUnit, Topology } from "../../config/clusters/topology.ts";
import type { JobResource } from "../../db/job_row.ts";
import type { MetricQuery } from "../../metricstore/engine/metric_engine.ts";

/** Which scopes are asked for. */
export interface ScopeRequest {
  readonly scopes: readonly MetricScope[];
  /** And `accelerator` of those metrics that are measured there. */
  readonly acceleratorMetrics?: boolean;
}

export interface PlanInput {
  readonly resources: readonly JobResource[];
  readonly topology: Topology;
  readonly metrics: Iterable<ClusterMetric>;
  readonly request: ScopeRequest;
  readonly numAcc: number;
}

/** One series of the answer; its query gives one entry, or none without data. */
export interface PlannedSeries {
  readonly metric: ClusterMetric;
  readonly scope: MetricScope;
  readonly hostname: string;
  /** Absent for a whole node. */
  readonly id?: string;
  readonly query: MetricQuery;
}

/** Level ids that make up one series; no ids: the host itself. */
interface Unit {
  readonly id?: string;
  readonly type?: MetricScope;
  readonly ids: readonly string[];
}

/** By metric, then by scope, then by resource, then by number of the unit. */
export function* planSeries(input: PlanInput): Generator<PlannedSeries> {
  const resources = input.resources.map((resource) =>
    new UsedUnits(resource, input.topology)
  );
  for (const metric of input.metrics) {
    if (metric.scope === "accelerator" && input.numAcc === 0) continue;
    for (const scope of resultScopes(metric.scope, input.request)) {
      for (const used of resources) {
        for (const unit of used.units(metric.scope, scope)) {
          yield plannedSeries(metric, scope, used.hostname, unit);
        }
      }
    }
  }
}

/** Returns the scopes that the requests lead to, each once. */
function resultScopes(
  own: MetricScope,
  { scopes, acceleratorMetrics }: ScopeRequest,
): Set<MetricScope> {
  const results = new Set(scopes.map((scope) => coarserScope(own, scope)));
  if (own === "accelerator" && acceleratorMetrics) results.add(own);
  return results;
}

function plannedSeries(
  metric: ClusterMetric,
  scope: MetricScope,
  hostname: string,
  { id, type, ids }: Unit,
): PlannedSeries {
  const query: MetricQuery = {
    metric: metric.name,
    host: hostname,
    ...(type === undefined ? {} : { type, "type-ids": ids }),
    aggreg: ids.length > 1,
    resolution: 0,
  };
  return {
    metric,
    scope,
    hostname,
    ...(id === undefined ? {} : { id }),
    query,
  };
}

/** The units of one host that a job uses; computed once for each question. */
class UsedUnits {
  readonly hostname: string;
  readonly #topology: Topology;
  readonly #threads: readonly number[];
  readonly #accelerators: readonly string[];
  readonly #known = new Map<string, readonly Unit[]>();

  constructor(resource: JobResource, topology: Topology) {
    const { hwthreads = [], accelerators = [] } = resource;
    this.hostname = resource.hostname;
    this.#topology = topology;
    const threads = hwthreads.length > 0 ? hwthreads : topology.lists.node;
    this.#threads = [...new Set(threads)].sort((a, b) => a - b);
    this.#accelerators = inOrderOf(
      topology.lists.accelerators.map(({ id }) => id),
      accelerators,
    );
  }

  /** The series of a metric of scope `own` in the scope `result`. */
  units(own: MetricScope, result: MetricScope): readonly Unit[] {
    const key = `${own} ${result}`;
    let units = this.#known.get(key);
    if (units === undefined) {
      units = this.#find(own, result).filter(({ type, ids }) =>
        type === undefined || ids.length > 0
      );
      this.#known.set(key, units);
    }
    return units;
  }

  #find(own: MetricScope, result: MetricScope): readonly Unit[] {
    if (own === "node") return [{ ids: [] }];
    if (own === result) {
      return this.#touched(own).map((id) => ({ id, type: own, ids: [id] }));
    }
    if (result === "node") return [{ type: own, ids: this.#touched(own) }];
    if (own === "accelerator" || !isThreadUnit(result)) return [];
    return own === "hwthread"
      ? this.#threadsOf(result)
      : isThreadUnit(own)
      ? this.#grouped(own, result)
      : [];
  }

  /** Ids of the units that the job uses. */
  #touched(kind: MetricScope): readonly string[] {
    if (kind === "accelerator") return this.#accelerators;
    if (!isThreadUnit(kind)) return this.#threads.map(String);
    return this.#topology.unitsTouching(kind, this.#threads).map(String);
  }

  /** All threads of each unit that the job touches, not only the job's own. */
  #threadsOf(kind: ThreadUnit): Unit[] {
    return this.#topology.unitsTouching(kind, this.#threads).map((unit) => ({
      id: String(unit),
      type: "hwthread",
      ids: [...new Set(this.#topology.threadsOf(kind, unit))].map(String),
    }));
  }

  /** The units that the job touches, by the larger unit of their first thread. */
  #grouped(own: ThreadUnit, kind: ThreadUnit): Unit[] {
    const groups = new Map<number, string[]>();
    for (const unit of this.#topology.unitsTouching(own, this.#threads)) {
      const [first] = this.#topology.threadsOf(own, unit);
      const larger = first === undefined
        ? undefined
        : this.#topology.unitOf(kind, first);
      if (larger === undefined) continue;
      const group = groups.get(larger);
      if (group === undefined) groups.set(larger, [String(unit)]);
      else group.push(String(unit));
    }
    return [...groups].sort(([a], [b]) => a - b)
      .map(([larger, ids]) => ({ id: String(larger), type: own, ids }));
  }
}

function isThreadUnit(scope: MetricScope): scope is ThreadUnit {
  return scope === "socket" || scope === "memoryDomain" || scope === "core";
}

/** `ids` once each: known ones in the order of the topology, then the others. */
function inOrderOf(
  known: readonly string[],
  ids: readonly string[],
): readonly string[] {
  const wanted = new Set(ids);
  return [
    ...known.filter((id) => wanted.has(id)),
    ...[...wanted].filter((id) => !known.includes(id)).sort(),
  ];
}
