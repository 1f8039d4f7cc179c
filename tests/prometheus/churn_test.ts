/**
 * Selections that are open while the store changes: series end, their numbers are
 * used again, also by other instances and for hidden hosts, samples are freed. The
 * reader gets no sample under another series' labels and nothing that it may not see.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePattern } from "../../src/base/pattern.ts";
import {
  entryOf,
  makeRegistry,
  seriesOf,
} from "../../src/metricstore/catalog/_registry_fixture.ts";
import { SeriesFilter } from "../../src/metricstore/query/series_filter.ts";
import { SeriesMatchers } from "../../src/metricstore/query/series_matchers.ts";
import { SeriesSelection } from "../../src/metricstore/query/series_selection.ts";
import { createBell } from "../../src/metricstore/transport/bell.ts";
import {
  createRing,
  RingConsumer,
  RingProducer,
} from "../../src/metricstore/transport/ring.ts";
import {
  type AskSeries,
  createCancelFlags,
  SELECTION_KIND,
} from "../../src/metricstore/transport/selection_messages.ts";
import { ShardClient } from "../../src/prometheus/worker/shard_client.ts";
import { ShardSource } from "../../src/prometheus/worker/shard_source.ts";
import { fuzzRuns } from "../support/fuzz_runs.ts";

const METRICS = {
  m: { frequencySec: 1, aggregation: "avg" },
  other: { frequencySec: 1, aggregation: "avg" },
} as const;
/** More than a frame holds. */
const SAMPLES = 30_000;
const START = 1_000_000;
const HOSTS = ["h1", "h2", "h3", "hidden1", "hidden2"];
const REGISTRY = makeRegistry(METRICS);

interface Name {
  readonly instance: string;
  readonly host: string;
  readonly metric: string;
}

const visibleNames: fc.Arbitrary<Name> = fc.record({
  instance: fc.constant(""),
  host: fc.constantFrom("h1", "h2", "h3"),
  metric: fc.constant("m"),
});
const names: fc.Arbitrary<Name> = fc.oneof(
  visibleNames,
  fc.record({
    instance: fc.constantFrom("", "tenant"),
    host: fc.constantFrom(...HOSTS),
    metric: fc.constantFrom("m", "other"),
  }),
);

const changes = fc.oneof(
  fc.record({ kind: fc.constant("end" as const), name: names }),
  fc.record({ kind: fc.constant("make" as const), name: names }),
  fc.record({ kind: fc.constant("reuse" as const) }),
  fc.record({
    kind: fc.constant("free" as const),
    name: names,
    samples: fc.nat(SAMPLES),
  }),
  fc.record({ kind: fc.constant("read" as const) }),
  fc.record({ kind: fc.constant("rest" as const) }),
);
type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never;

const H1 = { instance: "", host: "h1", metric: "m" };
const H2 = { instance: "", host: "h2", metric: "m" };
const TWO: Name[] = [H2, H1];
/** It ends when a frame has promised that it goes on. */
const END_OF_THE_FIRST: Change[] = [
  ...Array.from({ length: 5 }, () => ({ kind: "read" as const })),
  { kind: "end", name: H2 },
  { kind: "reuse" },
];

/** A number that tells the series of a value. */
function identityOf({ instance, host, metric }: Name): number {
  return 1 + HOSTS.indexOf(host) * 4 + (instance === "" ? 0 : 2) +
    (metric === "m" ? 0 : 1);
}

/** The value of a sample: which series it is of, and when. */
function valueOf(name: Name, second: number): number {
  return identityOf(name) * 1e6 + second;
}

function make(name: Name, samples: number): void {
  const series = seriesOf(
    REGISTRY,
    entryOf(name.host, name.metric, { instance: name.instance }),
  );
  for (let i = 0; i < samples; i++) {
    REGISTRY.table.write(series, START + i, valueOf(name, i));
  }
}

function find({ instance, host, metric }: Name): number | undefined {
  const id = REGISTRY.catalog.of("c").get(metric)!.id;
  return REGISTRY.tree.host(instance, "c", host)?.series.get(id);
}

/** What a shard and an evaluator are to each other, in one thread. */
class Pair {
  readonly client: ShardClient;
  readonly #ask: RingConsumer;
  readonly #answer: RingProducer;
  #selection: SeriesSelection | undefined;
  #id = 0;

  constructor() {
    const toShard = createRing(1 << 16);
    const fromShard = createRing(1 << 20);
    this.client = new ShardClient({
      bell: createBell(),
      cancelled: createCancelFlags(),
      toShard: [toShard],
      fromShard: [fromShard],
    }, [createBell()]);
    this.#ask = new RingConsumer(toShard);
    this.#answer = new RingProducer(fromShard);
  }

  /** One step of the shard. Returns whether the selection is done. */
  work(): boolean {
    if (this.#selection === undefined) this.#open();
    const state = this.#selection!.work(
      () => true,
      (frame) => frame.send(this.#answer, this.#id),
    );
    if (state !== "done") return false;
    const end = new TextEncoder().encode("{}");
    return this.#answer.send(SELECTION_KIND.END, this.#id, 0, end);
  }

  #open(): void {
    assert.ok(this.#ask.next());
    this.#id = this.#ask.id;
    const ask = JSON.parse(
      new TextDecoder().decode(this.#ask.payload()),
    ) as AskSeries;
    this.#ask.release();
    const filter = new SeriesFilter([{
      cluster: "*",
      selectors: [[{ type: "NRE", name: "hostname", value: "hidden.*" }]],
    }], "c");
    this.#selection = new SeriesSelection(
      {
        registry: REGISTRY,
        filterOf: () => filter,
        horizonSec: () => -Infinity,
      },
      ask,
      new SeriesMatchers(ask.matchers, compilePattern),
    );
  }

  /** Numbers of ended series are given to others, as a shard does between turns. */
  reuse(): void {
    this.#selection?.forget(new Set(REGISTRY.ended));
    REGISTRY.recycleEnded();
  }

  /** Has the evaluator look at its rings. */
  take(): void {
    this.client.close(this.client.open(
      { instance: "", matchers: [], afterMs: 0, untilMs: 0 },
      [],
    ));
  }
}

function apply(change: Change, pair: Pair, touched: Set<number>): void {
  switch (change.kind) {
    case "make":
      touched.add(identityOf(change.name));
      make(change.name, 100);
      return;
    case "end":
    case "free": {
      const series = find(change.name);
      if (series === undefined) return;
      touched.add(identityOf(change.name));
      const before = change.kind === "end" ? Infinity : START + change.samples;
      REGISTRY.freeBefore(series, before);
      return;
    }
    case "reuse":
      return pair.reuse();
    case "read":
      return pair.take();
    case "rest":
  }
}

Deno.test("a selection that is open while the store changes delivers nothing wrong or foreign", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(names, { minLength: 2, maxLength: 8 }),
      fc.array(changes, { minLength: 5, maxLength: 40 }),
      async (begin, steps) => {
        for (const name of begin) make(name, SAMPLES);
        const pair = new Pair();
        const source = new ShardSource(pair.client, { instance: "" }, true);
        const reading = read(source);
        const touched = new Set<number>();
        let isDone = false;
        // The generator asks with its first step.
        await Promise.resolve();
        for (const step of steps) {
          isDone ||= pair.work();
          apply(step, pair, touched);
        }
        while (!isDone) {
          isDone = pair.work();
          pair.take();
          await Promise.resolve();
        }
        pair.take();
        const found = await reading;
        const wanted = [
          ...new Set(
            begin.filter(({ instance, host, metric }) =>
              instance === "" && metric === "m" && !host.startsWith("hidden")
            ).map(identityOf),
          ),
        ].filter((identity) => !touched.has(identity));
        for (const identity of wanted) {
          assert.equal(found.get(identity), SAMPLES, `series ${identity}`);
        }
        for (const name of allNames()) {
          const series = find(name);
          if (series !== undefined) REGISTRY.freeBefore(series, Infinity);
        }
        REGISTRY.recycleEnded();
      },
    ),
    { numRuns: fuzzRuns(40), examples: [[TWO, END_OF_THE_FIRST]] },
  );
});

function* allNames(): Generator<Name> {
  for (const instance of ["", "tenant"]) {
    for (const host of HOSTS) {
      for (const metric of ["m", "other"]) yield { instance, host, metric };
    }
  }
}

/** Reads everything; checks that each sample is one of its series. Counts by series. */
async function read(source: ShardSource): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const batches = source.select({
    matchers: [{ type: "=", name: "__name__", value: "m" }],
    afterMs: 0,
    untilMs: 1e12,
    hints: { around: "", rangeMs: 0, stepMs: 0 },
  });
  for await (const { labels, offsets, timesMs, values } of batches) {
    for (const [i, one] of labels.entries()) {
      const host = one.get("hostname");
      assert.equal(one.get("__name__"), "m");
      assert.ok(!host.startsWith("hidden"), host);
      const name = { instance: "", host, metric: "m" };
      assert.ok(!counts.has(identityOf(name)), "a series comes once");
      counts.set(identityOf(name), offsets[i + 1]! - offsets[i]!);
      let before = -Infinity;
      for (let at = offsets[i]!; at < offsets[i + 1]!; at++) {
        const second = timesMs[at]! / 1000 - START;
        assert.ok(second > before, "times ascend");
        before = second;
        if (values[at] !== valueOf(name, second)) {
          assert.equal(values[at], valueOf(name, second), host);
        }
      }
    }
  }
  return counts;
}
