import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { realCatalog } from "../../../tests/support/clusters.ts";
import type { ClusterMetric } from "../../config/clusters/cluster.ts";
import {
  METRIC_SCOPES,
  type MetricScope,
} from "../../config/clusters/metric_scope.ts";
import { Topology } from "../../config/clusters/topology.ts";
import type { JobResource } from "../../db/job_row.ts";
import { type PlanInput, planSeries } from "./scope_plan.ts";
import { archivedScopes, jobRouteScopes } from "./scope_requests.ts";

function metricOf(scope: MetricScope, name: string = scope): ClusterMetric {
  return {
    name,
    unit: { base: "" },
    scope,
    timestep: 60,
    aggregation: "sum",
    peak: 0,
    normal: 0,
    caution: 0,
    alert: 0,
    footprint: "",
    energy: "",
    lowerIsBetter: false,
    restrict: false,
  };
}

/** Two sockets, four domains, eight cores of two threads, two accelerators. */
const SMT = new Topology({
  node: Array.from({ length: 16 }, (_, i) => i),
  socket: [[0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]],
  memoryDomain: [[0, 1, 8, 9], [2, 3, 10, 11], [4, 5, 12, 13], [
    6,
    7,
    14,
    15,
  ]],
  die: [],
  core: Array.from({ length: 8 }, (_, i) => [i, i + 8]),
  accelerators: ["0E:00.0", "13:00.0"].map((id) => ({
    id,
    type: "Nvidia GPU",
    model: "A100",
  })),
});

const TOPOLOGIES: readonly Topology[] = [
  SMT,
  ...realCatalog().clusters.flatMap(({ subClusters }) =>
    subClusters.map(({ topology }) => topology)
  ),
];

/** A series as `scope host/id = type:ids`, for comparing. */
function described(input: PlanInput): string[] {
  return [...planSeries(input)].map(({ scope, hostname, id, query }) => {
    const ids = query["type-ids"] ?? [];
    assert.equal(query.host, hostname);
    assert.equal(query.aggreg, ids.length > 1);
    const members = query.type === undefined
      ? "host"
      : `${query.type}:${ids.join(",")}`;
    return `${scope} ${hostname}${
      id === undefined ? "" : `/${id}`
    } = ${members}`;
  });
}

/** What `planSeries` gives for one metric, one host and one requested scope. */
function planned(
  own: MetricScope,
  requested: MetricScope,
  resource: Omit<JobResource, "hostname">,
  numAcc = 2,
): string[] {
  return described({
    resources: [{ hostname: "h", ...resource }],
    topology: SMT,
    metrics: [metricOf(own)],
    request: { scopes: [requested] },
    numAcc,
  });
}

Deno.test("planSeries() follows the table of the contract on a job of three threads", () => {
  // Threads 1 and 9 are core 1, thread 4 is core 4 on the other socket.
  const job = { hwthreads: [9, 1, 4], accelerators: ["13:00.0"] };
  const table: readonly [MetricScope, MetricScope, string[]][] = [
    ["node", "node", ["node h = host"]],
    ["node", "hwthread", ["node h = host"]],
    ["node", "accelerator", ["node h = host"]],
    ["socket", "node", ["node h = socket:0,1"]],
    ["socket", "core", ["socket h/0 = socket:0", "socket h/1 = socket:1"]],
    ["memoryDomain", "node", ["node h = memoryDomain:0,2"]],
    ["memoryDomain", "socket", [
      "socket h/0 = memoryDomain:0",
      "socket h/1 = memoryDomain:2",
    ]],
    ["memoryDomain", "hwthread", [
      "memoryDomain h/0 = memoryDomain:0",
      "memoryDomain h/2 = memoryDomain:2",
    ]],
    ["core", "node", ["node h = core:1,4"]],
    ["core", "socket", ["socket h/0 = core:1", "socket h/1 = core:4"]],
    ["core", "memoryDomain", [
      "memoryDomain h/0 = core:1",
      "memoryDomain h/2 = core:4",
    ]],
    ["core", "accelerator", ["core h/1 = core:1", "core h/4 = core:4"]],
    ["hwthread", "node", ["node h = hwthread:1,4,9"]],
    ["hwthread", "socket", [
      "socket h/0 = hwthread:0,1,2,3,8,9,10,11",
      "socket h/1 = hwthread:4,5,6,7,12,13,14,15",
    ]],
    ["hwthread", "memoryDomain", [
      "memoryDomain h/0 = hwthread:0,1,8,9",
      "memoryDomain h/2 = hwthread:4,5,12,13",
    ]],
    ["hwthread", "core", [
      "core h/1 = hwthread:1,9",
      "core h/4 = hwthread:4,12",
    ]],
    ["hwthread", "hwthread", [
      "hwthread h/1 = hwthread:1",
      "hwthread h/4 = hwthread:4",
      "hwthread h/9 = hwthread:9",
    ]],
    ["accelerator", "node", ["node h = accelerator:13:00.0"]],
    ["accelerator", "socket", []],
    ["accelerator", "memoryDomain", []],
    ["accelerator", "core", []],
    ["accelerator", "hwthread", []],
    ["accelerator", "accelerator", [
      "accelerator h/13:00.0 = accelerator:13:00.0",
    ]],
  ];
  for (const [own, requested, expected] of table) {
    assert.deepEqual(
      planned(own, requested, job),
      expected,
      `${own} × ${requested}`,
    );
  }
});

Deno.test("planSeries() takes the whole node where a resource names no threads", () => {
  const whole = planned("core", "node", {});
  assert.deepEqual(whole, ["node h = core:0,1,2,3,4,5,6,7"]);
  assert.deepEqual(planned("core", "node", { hwthreads: [] }), whole);
});

Deno.test("planSeries() gives nothing for units that no thread maps to", () => {
  assert.deepEqual(planned("core", "node", { hwthreads: [99] }), []);
  assert.deepEqual(planned("hwthread", "core", { hwthreads: [99] }), []);
  assert.deepEqual(planned("hwthread", "node", { hwthreads: [99] }), [
    "node h = hwthread:99",
  ]);
});

Deno.test("planSeries() passes over accelerators of jobs and hosts that have none", () => {
  const job = { accelerators: ["13:00.0"] };
  assert.deepEqual(planned("accelerator", "node", job, 0), []);
  assert.deepEqual(planned("accelerator", "node", {}), []);
  assert.deepEqual(planned("accelerator", "accelerator", {}), []);
});

Deno.test("planSeries() lists accelerators in the order of the topology, unknown ones last", () => {
  const accelerators = ["zz", "13:00.0", "0E:00.0", "aa", "13:00.0"];
  assert.deepEqual(planned("accelerator", "node", { accelerators }), [
    "node h = accelerator:0E:00.0,13:00.0,aa,zz",
  ]);
});

Deno.test("planSeries() answers requests that lead to the same scope once", () => {
  const input = {
    resources: [{ hostname: "b" }, { hostname: "a" }],
    topology: SMT,
    metrics: [metricOf("socket"), metricOf("node"), metricOf("accelerator")],
    request: { scopes: ["core", "node", "hwthread", "socket"] },
    numAcc: 0,
  } as const;
  assert.deepEqual(described(input), [
    "socket b/0 = socket:0",
    "socket b/1 = socket:1",
    "socket a/0 = socket:0",
    "socket a/1 = socket:1",
    "node b = socket:0,1",
    "node a = socket:0,1",
    "node b = host",
    "node a = host",
  ]);
});

Deno.test("jobRouteScopes() adds accelerators to metrics of accelerators only", () => {
  const resources = [{ hostname: "h", accelerators: ["13:00.0"] }];
  const plan = (numNodes: number, numAcc: number) =>
    described({
      resources,
      topology: SMT,
      metrics: [metricOf("socket"), metricOf("accelerator")],
      request: jobRouteScopes({ numNodes, numAcc }),
      numAcc,
    });
  const sockets = ["socket h/0 = socket:0", "socket h/1 = socket:1"];
  const accelerators = ["accelerator h/13:00.0 = accelerator:13:00.0"];
  assert.deepEqual(plan(1, 0), sockets);
  assert.deepEqual(plan(1, 1), [...sockets, ...accelerators]);
  assert.deepEqual(plan(2, 1), [
    "node h = socket:0,1",
    "node h = accelerator:13:00.0",
    ...accelerators,
  ]);
});

Deno.test("archivedScopes() keeps finer values of small jobs only", () => {
  const scopes = (numNodes: number, numAcc: number) =>
    archivedScopes({ numNodes, numAcc });
  assert.deepEqual(scopes(8, 0), { scopes: ["node", "core"] });
  assert.deepEqual(scopes(8, 2), { scopes: ["node", "core", "accelerator"] });
  assert.deepEqual(scopes(9, 0), {
    scopes: ["node"],
    acceleratorMetrics: false,
  });
  assert.deepEqual(scopes(9, 2), {
    scopes: ["node"],
    acceleratorMetrics: true,
  });
});

/**
 * The table again, thread by thread and without any memory: for a unit of the
 * result, which units of the metric's own level belong to it.
 */
function naive(
  own: MetricScope,
  requested: MetricScope,
  topology: Topology,
  resource: JobResource,
  numAcc: number,
): string[] {
  const rank = (scope: MetricScope) => METRIC_SCOPES.indexOf(scope);
  const { lists } = topology;
  const job = new Set(
    resource.hwthreads?.length ? resource.hwthreads : lists.node,
  );
  const { hostname: host, accelerators = [] } = resource;
  if (own === "node") return [`node ${host} = host`];
  if (own === "accelerator") {
    if (numAcc === 0 || accelerators.length === 0) return [];
    const ids = lists.accelerators.map(({ id }) => id)
      .filter((id) => accelerators.includes(id));
    if (requested === "node") return [`node ${host} = accelerator:${ids}`];
    return requested !== "accelerator"
      ? []
      : ids.map((id) => `accelerator ${host}/${id} = accelerator:${id}`);
  }
  // A thread as a unit of itself, so that all levels look alike.
  const highest = Math.max(-1, ...lists.node, ...lists.socket.flat(), ...job);
  const levels: Partial<Record<MetricScope, readonly (readonly number[])[]>> = {
    socket: lists.socket,
    memoryDomain: lists.memoryDomain,
    core: lists.core,
    hwthread: Array.from({ length: highest + 1 }, (_, thread) => [thread]),
  };
  const touchedOf = (scope: MetricScope) =>
    (levels[scope] ?? []).flatMap((threads, unit) =>
      threads.some((thread) => job.has(thread)) ? [unit] : []
    );
  const touched = touchedOf(own);
  if (requested === "node") {
    return touched.length === 0 ? [] : [`node ${host} = ${own}:${touched}`];
  }
  if (rank(requested) >= rank(own)) {
    return touched.map((unit) => `${own} ${host}/${unit} = ${own}:${unit}`);
  }
  const result: string[] = [];
  (levels[requested] ?? []).forEach((threads, unit) => {
    const members = own === "hwthread"
      ? threads.some((thread) => job.has(thread)) ? threads : []
      : touched.filter((one) => {
        const first = levels[own]?.[one]?.[0];
        return first !== undefined && threads.includes(first);
      });
    if (members.length > 0) {
      result.push(`${requested} ${host}/${unit} = ${own}:${members}`);
    }
  });
  return result;
}

Deno.test("planSeries() agrees with a naive model on real topologies", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TOPOLOGIES).chain((topology) =>
        fc.tuple(
          fc.constant(topology),
          fc.array(
            fc.record({
              hostname: fc.constantFrom("h1", "h2", "h3"),
              hwthreads: fc.uniqueArray(
                fc.nat({ max: topology.lists.node.length + 2 }),
                { maxLength: 12 },
              ),
              accelerators: fc.subarray(
                topology.lists.accelerators.map(({ id }) => id),
              ),
            }),
            { maxLength: 3 },
          ),
        )
      ),
      fc.constantFrom(...METRIC_SCOPES),
      fc.constantFrom(...METRIC_SCOPES),
      fc.constantFrom(0, 2),
      ([topology, resources], own, requested, numAcc) => {
        assert.deepEqual(
          described({
            resources,
            topology,
            metrics: [metricOf(own)],
            request: { scopes: [requested] },
            numAcc,
          }),
          resources.flatMap((resource) =>
            naive(own, requested, topology, resource, numAcc)
          ),
        );
      },
    ),
    { numRuns: fuzzRuns(500) },
  );
});
