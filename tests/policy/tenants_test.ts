/**
 * Instances beside each other in one engine: the same clusters, hosts and metrics,
 * and nothing of one in any answer to another; what bounds an instance bounds it
 * over all shards and after a restart.
 */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import {
  type ClusterGrant,
  type DataScope,
  DEFAULT_SCOPE,
} from "../../src/metricstore/engine/data_scope.ts";
import type {
  EngineOptions,
  StoreEngine,
} from "../../src/metricstore/engine/metric_engine.ts";
import {
  instanceScope,
  queryOf,
  startTestEngine,
  textOf,
  write,
} from "../support/engine.ts";
import { readArchive } from "../support/archived_rows.ts";
import { makeDirectory } from "../support/server.ts";

const METRICS: EngineOptions["metrics"] = {
  defaults: {
    load: { frequencySec: 60, aggregation: "sum" },
    flops: { frequencySec: 60, aggregation: "avg" },
  },
  clusters: {},
};
const TIME = Math.floor(nowSec() / 60) * 60 - 600;
const HOSTS = Array.from({ length: 12 }, (_, i) => `n${i}`);
const SHARDS = 3;

/** With files in `directory`: a log, and snapshots only where `cleansUp`. */
function startDurable(
  directory: string,
  cleansUp = false,
  options: Partial<EngineOptions> = {},
): Promise<StoreEngine> {
  return startTestEngine({
    ...options,
    shards: SHARDS,
    metrics: METRICS,
    persistence: {
      directory,
      syncIntervalSec: 1,
      snapshotIntervalSec: 3600,
      maxLogBytes: 1 << 30,
      onlyCleanUp: cleansUp,
    },
  });
}

/** Stops and starts again, from the log or from a snapshot. */
async function restart(
  engine: StoreEngine,
  directory: string,
  withSnapshot: boolean,
): Promise<StoreEngine> {
  await engine.close();
  if (withSnapshot) {
    const cleaning = await startDurable(directory, true);
    await cleaning.cleanUp();
    await cleaning.close();
  }
  return await startDurable(directory);
}

function line(
  host: string,
  value: number,
  { metric = "load", cluster = "c" } = {},
): string {
  const tags = cluster === "" ? "" : `,cluster=${cluster}`;
  return `${metric}${tags},hostname=${host} value=${value} ${TIME}`;
}

function narrowed(
  scope: DataScope,
  ...grants: readonly ClusterGrant[]
): DataScope {
  return { ...scope, view: { id: JSON.stringify(grants), grants } };
}

const FOR_ALL = queryOf({
  cluster: "c",
  from: TIME - 60,
  to: TIME + 120,
  forAllNodes: ["load"],
  withStats: false,
});

/** First value of every host of the cluster, by name. */
async function values(
  engine: StoreEngine,
  scope: DataScope,
): Promise<Record<string, number>> {
  const body = JSON.parse(await textOf(engine.query(scope, FOR_ALL))) as {
    queries?: { host: string }[];
    results: { data: number[] }[][];
  };
  const found: Record<string, number> = {};
  body.queries?.forEach(({ host }, i) => {
    const value = body.results[i]?.[0]?.data[0];
    if (value !== undefined) found[host] = value;
  });
  return found;
}

const TENANTS = ["", "team-a", "team-b"].map(instanceScope);

async function assertSeparate(engine: StoreEngine): Promise<void> {
  for (const [i, scope] of TENANTS.entries()) {
    const own = [...HOSTS, `only${i}`];
    const expected = Object.fromEntries(
      own.map((host, n) => [host, 1000 * i + n]),
    );
    assert.deepEqual(await values(engine, scope), expected);
    const dump = await textOf(engine.debug(scope, []));
    const { data } = JSON.parse(dump) as { data: { c: object } };
    assert.deepEqual(Object.keys(data), ["c"]);
    assert.deepEqual(Object.keys(data.c).sort(), own.toSorted());
    const other = `only${(i + 1) % TENANTS.length}`;
    const health = await engine.health(scope, "c", [other, own[0]!], ["load"]);
    assert.equal(health.get(other)?.known, false);
    assert.equal(health.get(own[0]!)?.known, true);
    await assert.rejects(
      engine.debug(scope, ["c", other]),
      { code: "E_BAD_REQUEST" },
    );
  }
}

Deno.test("instances with the same hosts stay apart, through a restart with log and snapshot", async () => {
  const directory = await makeDirectory();
  let engine = await startDurable(directory);
  try {
    for (const [i, scope] of TENANTS.entries()) {
      const lines = [...HOSTS, `only${i}`].map((host, n) =>
        line(host, 1000 * i + n)
      );
      // One batch: most of its lines are passed on to other shards.
      assert.equal((await write(engine, scope, lines)).stored, lines.length);
    }
    await assertSeparate(engine);
    for (const withSnapshot of [false, true]) {
      engine = await restart(engine, directory, withSnapshot);
      await assertSeparate(engine);
    }
    const [, team] = TENANTS;
    assert.equal(await engine.free(team!, [[]], TIME + 600), 13);
    assert.deepEqual(await values(engine, team!), {});
    assert.equal(Object.keys(await values(engine, TENANTS[0]!)).length, 13);
    assert.equal(Object.keys(await values(engine, TENANTS[2]!)).length, 13);
  } finally {
    await engine.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("instances with the same hosts are archived apart", async () => {
  const directory = await makeDirectory();
  const archive = { directory: `${directory}/archive`, intervalSec: 3600 };
  let engine = await startDurable(directory);
  try {
    for (const [i, scope] of TENANTS.entries()) {
      await write(
        engine,
        scope,
        HOSTS.map((host, n) => line(host, 100 * i + n)),
      );
    }
    await engine.close();
    // What was written ten minutes ago is past the retention now.
    engine = await startDurable(directory, true, { archive, retentionSec: 60 });
    await engine.cleanUp();
    for (const [i, place] of ["c", "@team-a/c", "@team-b/c"].entries()) {
      const files = await readArchive(`${archive.directory}/${place}`);
      const rows = files.flatMap((file) => file.rows);
      assert.deepEqual(
        Object.fromEntries(rows.map((row) => [row.hostname, row.value])),
        Object.fromEntries(HOSTS.map((host, n) => [host, 100 * i + n])),
      );
      assert.deepEqual(await values(engine, TENANTS[i]!), {});
    }
  } finally {
    await engine.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("what a view frees stays freed after a restart, and what it hides stays", async () => {
  const directory = await makeDirectory();
  let engine = await startDurable(directory);
  const scope = instanceScope("team");
  const lines = HOSTS.flatMap((host) => [
    line(host, 1),
    line(host, 2, { metric: "flops" }),
    `load,cluster=c,hostname=${host},type=core,type-id=0 value=1 ${TIME}`,
    `load,cluster=c,hostname=${host},type=core,type-id=1 value=1 ${TIME}`,
  ]);
  const view = narrowed(scope, {
    cluster: "c",
    selectors: [[
      { type: "EQ", name: "__name__", value: "load" },
      { type: "RE", name: "hostname", value: "n[0-4]" },
      { type: "NEQ", name: "type-id", value: "0" },
    ]],
  });
  try {
    assert.equal((await write(engine, scope, lines)).stored, 48);
    assert.equal(await engine.free(view, [["c"]], TIME + 600), 10);
    const dump = await textOf(engine.debug(scope, ["c"]));
    assert.equal(dump.match(/"start"/g)?.length, 38);
    const { data } = JSON.parse(dump) as { data: unknown };
    for (const withSnapshot of [false, true]) {
      engine = await restart(engine, directory, withSnapshot);
      const again = await textOf(engine.debug(scope, ["c"]));
      assert.deepEqual((JSON.parse(again) as { data: unknown }).data, data);
    }
  } finally {
    await engine.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a batch may write to the granted clusters only, whoever wrote there before", async () => {
  const engine = await startTestEngine({ shards: SHARDS, metrics: METRICS });
  const writer = narrowed(DEFAULT_SCOPE, { cluster: "c", selectors: [] });
  try {
    const foreign = HOSTS.map((host) => line(host, 1, { cluster: "other" }));
    const known = await write(engine, DEFAULT_SCOPE, foreign);
    assert.equal(known.stored, HOSTS.length);
    for (let round = 0; round < 2; round++) {
      const lines = HOSTS.flatMap((host) => [
        line(host, 5),
        line(host, 6, { cluster: "other" }),
        line(host, 7, { cluster: "nowhere", metric: "unknown" }),
        line(host, 8, { cluster: "", metric: "flops" }),
      ]);
      const report = await write(engine, writer, lines, "c");
      assert.equal(report.stored, 2 * HOSTS.length);
      assert.deepEqual(report.rejected, { forbidden: 2 * HOSTS.length });
      assert.deepEqual(report.skipped, {});
      assert.deepEqual(report.errors.slice(0, 2), [
        {
          line: 2,
          reason: "forbidden",
          message: 'at line 2: no access to cluster "other"',
        },
        {
          line: 3,
          reason: "forbidden",
          message: 'at line 3: no access to cluster "nowhere"',
        },
      ]);
    }
    const untouched = await textOf(
      engine.query(DEFAULT_SCOPE, { ...FOR_ALL, cluster: "other" }),
    );
    assert.equal(untouched.match(/"data":\[1\]/g)?.length, HOSTS.length);
    const nothing = await write(engine, narrowed(DEFAULT_SCOPE), [
      line("n0", 1),
    ]);
    assert.deepEqual(nothing.rejected, { forbidden: 1 });
    // Selectors narrow what is read, not what is written.
    const reader = narrowed(DEFAULT_SCOPE, {
      cluster: "c",
      selectors: [[{ type: "EQ", name: "hostname", value: "none" }]],
    });
    assert.equal((await write(engine, reader, [line("n0", 1)])).stored, 1);
  } finally {
    await engine.close();
  }
});

Deno.test("max_series bounds an instance over all shards, also after a restart", async () => {
  const directory = await makeDirectory();
  let engine = await startDurable(directory);
  const limited = { ...instanceScope("team"), maxSeries: 5 };
  const lines = HOSTS.map((host) => line(host, 1));
  async function assertFull() {
    const report = await write(engine, limited, lines);
    assert.equal(report.stored, 5);
    assert.deepEqual(report.rejected, { "instance-series": 7 });
    assert.match(
      report.errors[0]!.message,
      /^at line \d+: instance "team" may have no more than 5 series \(limits\.max_series\)$/,
    );
  }
  try {
    await assertFull();
    await assertFull();
    for (const scope of [DEFAULT_SCOPE, instanceScope("other")]) {
      // The default instance has no limit of its own, and no share in that of others.
      const report = await write(engine, { ...scope, maxSeries: 12 }, lines);
      assert.equal(report.stored, 12);
    }
    for (const withSnapshot of [false, true]) {
      engine = await restart(engine, directory, withSnapshot);
      await assertFull();
    }
    assert.deepEqual(
      engine.instanceSeries,
      new Map([["team", 5], ["other", 12]]),
    );
    const [gone] = Object.keys(await values(engine, limited));
    assert.equal(await engine.free(limited, [["c", gone!]], TIME + 600), 1);
    const roomy = await write(engine, limited, [line("new", 1)]);
    assert.equal(roomy.stored, 1);
    const raised = await write(engine, { ...limited, maxSeries: 6 }, lines);
    assert.equal(raised.stored, 5);
  } finally {
    await engine.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("the smaller limit on samples counts and is named", async () => {
  const engine = await startTestEngine({
    shards: SHARDS,
    metrics: METRICS,
    maxQuerySamples: 8,
  });
  try {
    await write(engine, DEFAULT_SCOPE, HOSTS.map((host) => line(host, 1)));
    for (
      const [maxQuerySamples, message] of [
        [
          0,
          "the query reads more than 8 samples (metric-store.max-query-samples)",
        ],
        [
          9,
          "the query reads more than 8 samples (metric-store.max-query-samples)",
        ],
        [
          3,
          "the query reads more than 3 samples (limits.max_query_samples of the instance)",
        ],
      ] as const
    ) {
      await assert.rejects(
        engine.query({ ...DEFAULT_SCOPE, maxQuerySamples }, FOR_ALL),
        { code: "E_TOO_MANY_SAMPLES", message },
      );
    }
    // Hidden series are not read.
    const view = narrowed(
      { ...DEFAULT_SCOPE, maxQuerySamples: 3 },
      {
        cluster: "c",
        selectors: [[{ type: "RE", name: "hostname", value: "n1?" }]],
      },
      {
        cluster: "*",
        selectors: [[{ type: "EQ", name: "hostname", value: "n3" }]],
      },
    );
    assert.deepEqual(await values(engine, view), { n1: 1, n3: 1 });
  } finally {
    await engine.close();
  }
});

Deno.test("a cluster that no grant names is refused alike, whether or not it exists", async () => {
  const engine = await startTestEngine({ metrics: METRICS });
  try {
    for (const cluster of ["c", "secret"]) {
      await write(engine, DEFAULT_SCOPE, [line("n0", 1, { cluster })]);
    }
    const scope = narrowed(DEFAULT_SCOPE, { cluster: "c", selectors: [] });
    for (const cluster of ["secret", "nowhere", ""]) {
      const refused = {
        code: "E_FORBIDDEN",
        message: `no access to cluster "${cluster}"`,
      };
      await assert.rejects(
        engine.query(scope, { ...FOR_ALL, cluster }),
        refused,
      );
      await assert.rejects(
        engine.health(scope, cluster, ["n0"], undefined),
        refused,
      );
      await assert.rejects(engine.debug(scope, [cluster, "n0"]), refused);
      await assert.rejects(
        engine.free(scope, [["c"], [cluster]], TIME + 600),
        refused,
      );
    }
    assert.deepEqual(await values(engine, scope), { n0: 1 }, "nothing freed");
  } finally {
    await engine.close();
  }
});

Deno.test("a hostile pattern keeps no shard from answering", async () => {
  const engine = await startTestEngine({
    metrics: METRICS,
    maxNameBytes: 20_000,
  });
  const host = "a".repeat(10_000);
  try {
    await write(engine, DEFAULT_SCOPE, [line(host, 1), line(`${host}b`, 2)]);
    for (
      const [pattern, hosts] of [
        ["(a+)+$", [host]],
        ["(a|a)*b", [`${host}b`]],
        ["(a*)*c", []],
      ] as const
    ) {
      const scope = narrowed(DEFAULT_SCOPE, {
        cluster: "*",
        selectors: [[{ type: "RE", name: "hostname", value: pattern }]],
      });
      assert.deepEqual(Object.keys(await values(engine, scope)), hosts);
    }
  } finally {
    await engine.close();
  }
});

Deno.test("a view that cannot be evaluated is refused, not ignored", async () => {
  const engine = await startTestEngine({ metrics: METRICS });
  const selectorOf = (value: string) =>
    [{ type: "NRE", name: "hostname", value }] as const;
  try {
    await write(engine, DEFAULT_SCOPE, [line("n0", 1)]);
    const broken = narrowed(DEFAULT_SCOPE, {
      cluster: "c",
      selectors: [selectorOf("a(")],
    });
    await assert.rejects(engine.query(broken, FOR_ALL), {
      code: "E_FORBIDDEN",
      message: /missing closing/,
    });
    const large = narrowed(DEFAULT_SCOPE, {
      cluster: "c",
      selectors: Array.from({ length: 1001 }, (_, i) => selectorOf(`n${i}`)),
    });
    await assert.rejects(engine.query(large, FOR_ALL), {
      code: "E_FORBIDDEN",
      message: /1001 matchers/,
    });
  } finally {
    await engine.close();
  }
});
