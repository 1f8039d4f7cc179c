/**
 * Jobs that run for longer than the store keeps samples, and wide ones: they are
 * archived with all the samples there are, and reading them holds up nobody.
 */
import assert from "node:assert/strict";
import { ClusterCatalog } from "../../src/config/clusters/cluster_catalog.ts";
import { nowSec } from "../../src/base/clock.ts";
import { clusterOf } from "../support/clusters.ts";
import { until } from "../support/nats.ts";
import { bodyOf, SlowReader } from "../support/slow_reader.ts";
import { JobApiServer } from "./job_api.ts";

const THREADS = 128;
const METRICS = Array.from({ length: 9 }, (_, i) => `m${i}`);
const DAY = 86_400;
/** Samples of each thread, a minute apart, the last one ten minutes ago. */
const SAMPLES = 3;
const LAST = Math.floor(nowSec() / 60) * 60 - 600;
const FIRST = LAST - 60 * (SAMPLES - 1);

const CLUSTER = clusterOf({
  name: "wide",
  subClusters: [{
    name: "main",
    nodes: "w[1-8]",
    topology: {
      node: Array.from({ length: THREADS }, (_, i) => i),
      socket: [Array.from({ length: THREADS }, (_, i) => i)],
      memoryDomain: [Array.from({ length: THREADS }, (_, i) => i)],
      core: Array.from({ length: THREADS }, (_, i) => [i]),
    },
  }],
  metricConfig: METRICS.map((name) => ({
    name,
    scope: "hwthread",
    aggregation: "sum",
    timestep: 60,
    unit: { base: "" },
  })),
});

function valueOf(metric: number, thread: number, sample: number): number {
  return 1 + metric + thread + sample;
}

async function withJob(
  nodes: number,
  startTime: number,
  use: (server: JobApiServer, id: number) => Promise<void>,
): Promise<void> {
  await using server = await JobApiServer.start({
    clusters: new ClusterCatalog([CLUSTER]),
  });
  const hosts = Array.from({ length: nodes }, (_, i) => `w${i + 1}`);
  for (const hostname of hosts) {
    const lines: string[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      METRICS.forEach((metric, m) => {
        for (let thread = 0; thread < THREADS; thread++) {
          lines.push(
            `${metric},cluster=wide,hostname=${hostname},type=hwthread,type-id=${thread} ` +
              `value=${valueOf(m, thread, sample)} ${FIRST + 60 * sample}`,
          );
        }
      });
    }
    await server.write(lines);
  }
  const id = await server.startJob({
    ...{ jobId: 1, cluster: "wide", user: "eve", project: "p1", startTime },
    ...{ numNodes: nodes, resources: hosts.map((hostname) => ({ hostname })) },
  } as { jobId: number; cluster: string });
  await use(server, id);
}

interface Stored {
  readonly series: number;
  readonly values: number;
  readonly sum: number;
  /** Steps before the first sample, of each series the same. */
  readonly leadingNulls: number;
}

/** What the archive has of a scope, over all metrics. */
async function storedOf(
  server: JobApiServer,
  startTime: number,
  scope: "core" | "node",
): Promise<Stored> {
  let [series, values, sum] = [0, 0, 0];
  const leading = new Set<number>();
  const place = { cluster: "wide", jobId: 1, startTime };
  const metrics = server.archive.readMetrics(place, { scopes: [scope] });
  for await (const { scopes } of metrics) {
    for (const one of scopes.get(scope)?.series ?? []) {
      series++;
      leading.add(one.leadingNulls ?? 0);
      for (const value of one.data) {
        if (isNaN(value)) continue;
        values++;
        sum += value;
      }
    }
  }
  assert.equal(leading.size, 1, [...leading].join(" "));
  return { series, values, sum, leadingNulls: [...leading][0]! };
}

function everything(nodes: number): { values: number; sum: number } {
  let sum = 0;
  METRICS.forEach((_, metric) => {
    for (let thread = 0; thread < THREADS; thread++) {
      for (let sample = 0; sample < SAMPLES; sample++) {
        sum += valueOf(metric, thread, sample);
      }
    }
  });
  const values = METRICS.length * THREADS * SAMPLES;
  return { values: nodes * values, sum: nodes * sum };
}

for (
  const [what, nodes, startTime] of [
    ["for a month on two nodes", 2, LAST - 30 * DAY],
    ["since 1973", 2, 123_456_789],
  ] as const
) {
  Deno.test(`a job that ran ${what} is archived with all the samples there are`, () =>
    withJob(nodes, startTime, async (server, id) => {
      const running = await server.expect(
        200,
        "GET",
        `/api/jobs/${id}?all-metrics=true`,
      );
      assert.equal(running.json.Meta.metaData.dataStart, String(FIRST));
      await server.stopAndArchive(id, LAST + 60);
      const job = await server.tables.jobs.get(id);
      assert.equal(job?.monitoringStatus, 3);
      assert.equal(job?.metaData?.["dataStart"], String(FIRST));
      const { values, sum } = everything(nodes);
      const core = await storedOf(server, startTime, "core");
      assert.equal(core.series, nodes * THREADS * METRICS.length);
      assert.deepEqual([core.values, core.sum], [values, sum]);
      assert.equal(core.leadingNulls, 0);
      const meta = await server.archive.readMeta({
        ...{ cluster: "wide", jobId: 1, startTime },
      });
      assert.equal(meta.job.metaData?.["dataStart"], String(FIRST));
      // The same of a running job and of an archived one.
      const archived = await server.expect(
        200,
        "GET",
        `/api/jobs/${id}?all-metrics=true`,
      );
      assert.deepEqual(archived.json.Data, running.json.Data);
      const data = archived.json.Data.m0.node.series[0].data;
      assert.equal(data.length, SAMPLES);
    }));
}

Deno.test("a job of a week on eight nodes is answered and archived in full, while writes and /health are", () => {
  const startTime = LAST - 7 * DAY;
  return withJob(8, startTime, async (server, id) => {
    const { reads } = server.jobs.services;
    const token = await server.tokenOf("api");
    const scoped = `/api/jobs/metrics/${id}?scope=core&metric=`;
    const paths = ["m0", "m1", "m2"].map((metric) => scoped + metric);
    const readers = await Promise.all(
      [...paths, `/api/jobs/${id}?all-metrics=true`].map((path) =>
        SlowReader.ask(server.port, path, token)
      ),
    );
    let isRead = false;
    const texts = Promise.all(readers.map((reader) => reader.rest()))
      .finally(() => isRead = true);
    let writes = 0;
    let most = 0;
    while (!isRead) {
      await server.write([
        `m0,cluster=wide,hostname=w1,type=hwthread,type-id=0 value=${writes} ${
          LAST + 600
        }`,
      ]);
      await server.expect(200, "GET", "/health", { as: null });
      writes++;
      most = Math.max(most, reads.bytes.inUse("read"));
    }
    // None of them stood behind a whole answer.
    assert.ok(writes > readers.length, `${writes} writes while jobs were read`);
    // The samples of three metrics and a bit; their steps without samples are numbers.
    assert.ok(most > 0 && most < 8 << 20, `${most} bytes in memory`);
    const answers = (await texts).map((text) => JSON.parse(bodyOf(text)));
    const steps = (FIRST - startTime) / 60 + SAMPLES;
    for (const answer of answers.slice(0, 3)) {
      const [{ metric }] = answer.data.jobMetrics;
      assert.equal(metric.series.length, 8 * THREADS);
      for (const { data } of metric.series) assert.equal(data.length, steps);
    }
    const all = answers[3].Data;
    assert.deepEqual(Object.keys(all), METRICS);
    for (const { node } of Object.values<typeof all>(all)) {
      assert.equal(node.series.length, 8);
      assert.equal(node.series[0].data.length, steps);
      assert.ok(node.series[0].data.at(-1) > 0);
    }
    assert.equal(reads.bytes.inUse(), 0);

    await server.stopAndArchive(id, LAST + 60);
    assert.equal((await server.tables.jobs.get(id))?.monitoringStatus, 3);
    const { values, sum } = everything(8);
    const core = await storedOf(server, startTime, "core");
    assert.deepEqual([core.values, core.sum], [values, sum]);
    assert.equal(core.leadingNulls, steps - SAMPLES);
  });
});

Deno.test("a client that goes away in the middle of the metrics of a job stops their reading", () =>
  withJob(8, LAST - 7 * DAY, async (server, id) => {
    const { reads } = server.jobs.services;
    const token = await server.tokenOf("api");
    const reader = await SlowReader.ask(
      server.port,
      `/api/jobs/metrics/${id}?scope=core`,
      token,
    );
    assert.match(await reader.first(), /^HTTP\/1\.1 200 OK/);
    assert.ok(reads.bytes.inUse() > 0);
    reader.close();
    await until(
      "memory that is given back",
      () => Promise.resolve(reads.bytes.inUse() === 0 || undefined),
    );
    assert.equal(reads.places.inUse(), 0);
    assert.ok(!server.log.some((line) => line.startsWith("err")));
  }));
