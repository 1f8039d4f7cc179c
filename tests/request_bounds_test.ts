/**
 * What one request may become: products are counted before anything is made, and a
 * long question lets batches in between.
 */
import assert from "node:assert/strict";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import type { StoreEngine } from "../src/metricstore/engine/metric_engine.ts";
import { queryOf, startTestEngine, textOf, write } from "./support/engine.ts";

const HOSTS = 1000;
const BEGIN_SEC = 1_700_000_000;
const TO_SEC = BEGIN_SEC + 600;
const METRICS = {
  defaults: { load: { frequencySec: 60, aggregation: "sum" } },
  clusters: {},
} as const;

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

function hostName(i: number): string {
  return `h${String(i).padStart(4, "0")}`;
}

async function engineWithHosts(): Promise<StoreEngine> {
  const engine = await startTestEngine({ metrics: METRICS });
  const lines = Array.from(
    { length: HOSTS },
    (_, i) => `load,cluster=c,hostname=${hostName(i)} value=1 ${BEGIN_SEC}`,
  );
  await write(engine, DEFAULT_SCOPE, lines);
  return engine;
}

const RANGE = { cluster: "c", from: BEGIN_SEC, to: TO_SEC };

Deno.test("what lists multiply to is refused with the numbers, before it is made", async () => {
  const engine = await engineWithHosts();
  const hosts = Array.from({ length: HOSTS }, (_, i) => hostName(i));
  const tooMany = (message: RegExp) => ({
    code: "E_TOO_MANY_SAMPLES",
    message,
  });
  try {
    await assert.rejects(
      engine.health(DEFAULT_SCOPE, "c", hosts, names(150_000)),
      tooMany(
        /1000 nodes x 150000 names of metrics, that is 150000000 entries; at most 1048576/,
      ),
    );
    await assert.rejects(
      engine.health(
        DEFAULT_SCOPE,
        "c",
        hosts,
        names(100).map((name) => name.padEnd(1000, "x")),
      ),
      tooMany(
        /1000 nodes x 100000 characters .* 100005000 characters; at most/,
      ),
    );
    await assert.rejects(
      engine.query(
        DEFAULT_SCOPE,
        queryOf({ ...RANGE, forAllNodes: names(2000) }),
      ),
      tooMany(
        /1000 hosts x 2000 metrics of for-all-nodes, that is 2000000 entries/,
      ),
    );
    await assert.rejects(
      engine.query(
        DEFAULT_SCOPE,
        queryOf({ ...RANGE, forAllNodes: ["x".repeat(1 << 20)] }),
      ),
      tooMany(/1000 hosts x 1048576 characters/),
    );
    const ids = new Array<string>(1500).fill("0");
    const pairs = { type: "socket", subtype: "dev" };
    const query = { metric: "load", host: hostName(0), resolution: 0 };
    await assert.rejects(
      engine.query(
        DEFAULT_SCOPE,
        queryOf({
          ...RANGE,
          queries: [{
            ...{ ...query, ...pairs, aggreg: false },
            ...{ "type-ids": ids, "subtype-ids": ids },
          }],
        }),
      ),
      tooMany(/2250000 entries; at most 1048576/),
    );
    const aggregated = {
      ...{ ...query, ...pairs, aggreg: true },
      ...{ "type-ids": ids, "subtype-ids": ids },
    };
    await assert.rejects(
      engine.query(
        { ...DEFAULT_SCOPE, maxIds: 100_000 },
        queryOf({ ...RANGE, queries: [aggregated] }),
      ),
      tooMany(/2250000 ids; at most 100000/),
    );
    await assert.rejects(
      engine.query(
        DEFAULT_SCOPE,
        queryOf({ ...RANGE, queries: new Array(5).fill(aggregated) }),
      ),
      tooMany(/11250000 ids; at most 10000000/),
    );
    // An error text of a megabyte for each of a thousand ids.
    await assert.rejects(
      engine.query(
        DEFAULT_SCOPE,
        queryOf({
          ...RANGE,
          queries: [{
            ...{ metric: "x".repeat(1 << 20), host: "h", type: "socket" },
            ...{ "type-ids": ids, aggreg: false, resolution: 0 },
          }],
        }),
      ),
      tooMany(/larger than 268435456 bytes/),
    );
  } finally {
    await engine.close();
  }
});

Deno.test("names that come again count once in health checks and for all nodes", async () => {
  const engine = await engineWithHosts();
  const again = (name: string) => new Array<string>(400_000).fill(name);
  try {
    const hosts = [hostName(0), ...again(hostName(1))];
    const health = await engine.health(
      DEFAULT_SCOPE,
      "c",
      hosts,
      again("nope"),
    );
    assert.deepEqual(health.get(hostName(1))?.missing, ["nope"]);
    assert.equal(health.size, 2);
    const text = await textOf(engine.query(
      DEFAULT_SCOPE,
      queryOf({ ...RANGE, forAllNodes: [...again("load"), "nope"] }),
    ));
    const { queries, results } = JSON.parse(text);
    assert.equal(results.length, 2 * HOSTS);
    assert.equal(queries.length, 2 * HOSTS);
    for (const [i, [entry]] of results.entries()) {
      const host = hostName(i >> 1);
      const metric = i % 2 === 0 ? "load" : "nope";
      assert.deepEqual(queries[i], {
        ...{ metric, host, resolution: 0, aggreg: false },
      });
      if (metric === "load") assert.deepEqual(entry.data, [1]);
      else assert.match(entry.error, /unknown metric: nope/);
    }
  } finally {
    await engine.close();
  }
});

Deno.test("a free names a path once, however often it is listed", async () => {
  const engine = await engineWithHosts();
  try {
    const paths = new Array<string[]>(200_000).fill([]);
    assert.equal(await engine.free(DEFAULT_SCOPE, paths, TO_SEC), HOSTS);
  } finally {
    await engine.close();
  }
});

Deno.test("batches and small questions get in while a long one is answered", async () => {
  const engine = await startTestEngine({ metrics: METRICS, shards: 1 });
  const slots = 2000;
  const sample = (i: number) =>
    `load,cluster=c,hostname=h,type=core,type-id=0 value=0.5 ${
      BEGIN_SEC + i * 60
    }`;
  const core = {
    ...{ metric: "load", host: "h", type: "core", resolution: 0 },
    aggreg: true,
  };
  const range = { cluster: "c", from: BEGIN_SEC, to: BEGIN_SEC + 60 * slots };
  try {
    await write(
      engine,
      DEFAULT_SCOPE,
      Array.from({ length: slots }, (_, i) => sample(i)),
    );
    const order: string[] = [];
    const ids = new Array<string>(200_000).fill("0");
    const long = textOf(engine.query(
      DEFAULT_SCOPE,
      queryOf({ ...range, queries: [{ ...core, "type-ids": ids }] }),
    )).then((text) => {
      order.push("long");
      return text;
    });
    for (let i = 0; i < 5; i++) {
      await write(engine, DEFAULT_SCOPE, [
        `load,cluster=c,hostname=other${i} value=1 ${BEGIN_SEC}`,
      ]);
      order.push("batch");
    }
    const [[{ data }]] = JSON.parse(await long).results;
    assert.deepEqual(order, [...new Array(5).fill("batch"), "long"]);
    assert.equal(data.length, slots);
    assert.ok(data.every((value: number) => value === ids.length * 0.5));
    // What was asked meanwhile is answered after it, in order.
    const short = await textOf(engine.query(
      DEFAULT_SCOPE,
      queryOf({ ...range, queries: [{ ...core, "type-ids": ["0", "0"] }] }),
    ));
    assert.equal(JSON.parse(short).results[0][0].data[0], 1);
  } finally {
    await engine.close();
  }
});
