/**
 * promtool as a client, and a real Prometheus as the measure: the same samples, the
 * same expressions, asked through the front door of both. Debian has Prometheus 2.42,
 * whose windows are closed on the left: steps do not meet samples here.
 */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { SAMPLE_TOKEN, TestClient } from "../support/client.ts";
import { Prometheus, type PrometheusSeries } from "../support/prometheus.ts";
import type { RandomSeries } from "../support/promql_arbitrary.ts";
import { TestServer } from "../support/server.ts";
import { toolProgram, toolTest } from "../support/tools.ts";
import { PromClient } from "./_client.ts";
import { makeInstance, makeToken } from "./_tokens.ts";

const METRICS = {
  cpu_load: { frequency: 60, aggregation: "avg" },
  flops_any: { frequency: 60, aggregation: "sum" },
  bytes_total: { frequency: 60, aggregation: "sum" },
} as const;
const NOW = Math.floor(nowSec() / 60) * 60;
const STEPS = 120;
const HOSTS = ["f1", "f2", "f3"];

interface Stored {
  readonly metric: string;
  readonly host: string;
  readonly type: string;
  readonly id: string;
  readonly value: (step: number) => number;
}

/** Gauges, a counter that is reset, and gaps. */
function series(): Stored[] {
  return HOSTS.flatMap((host, i): Stored[] => [
    {
      ...{ metric: "cpu_load", host, type: "", id: "" },
      value: (step) => step % 17 === i ? NaN : 10 + i + (step * 7 % 13) / 4,
    },
    {
      ...{ metric: "bytes_total", host, type: "", id: "" },
      value: (step) => (step % 40) * (i + 1) * 1024,
    },
    ...[0, 1, 2, 3].map((id): Stored => ({
      ...{ metric: "flops_any", host, type: "hwthread", id: String(id) },
      value: (step) => id + ((step + i) * 5 % 11) / 8,
    })),
  ]);
}

/** Samples lie at whole minutes; NaN stands for none. */
function samplesOf({ value }: Stored): [sec: number, value: number][] {
  return Array.from(
    { length: STEPS },
    (_, step): [number, number] => [NOW - 60 * (STEPS - 1 - step), value(step)],
  ).filter(([, number]) => !Number.isNaN(number));
}

function linesOf(all: readonly Stored[]): string {
  return all.flatMap((one) => {
    const { metric, host, type, id } = one;
    const level = type === "" ? "" : `,type=${type},type-id=${id}`;
    return samplesOf(one).map(([sec, value]) =>
      `${metric},cluster=fritz,hostname=${host}${level} value=${value} ${sec}`
    );
  }).join("\n");
}

function forPrometheus(one: Stored): RandomSeries {
  const { metric, host, type, id } = one;
  const samples = samplesOf(one);
  return {
    labels: {
      __name__: metric,
      cluster: "fritz",
      hostname: host,
      ...(type === "" ? {} : { type, type_id: id }),
    },
    timesMs: samples.map(([sec]) => sec * 1000),
    values: samples.map(([, value]) => value),
  };
}

async function withServer(
  test: (server: TestServer, client: TestClient) => Promise<void>,
): Promise<void> {
  await using server = await TestServer.start({ metrics: METRICS });
  const client = new TestClient(server.url);
  try {
    const answer = await client.write(linesOf(series()));
    assert.equal(answer.status, 200, answer.text);
    await test(server, client);
  } finally {
    client.close();
  }
}

const EXPRESSIONS = [
  "cpu_load",
  'flops_any{hostname=~"f[12]",type_id!="0"}',
  "sum by (hostname) (flops_any)",
  "avg without (type_id) (flops_any)",
  "topk(2, cpu_load)",
  "quantile(0.3, flops_any)",
  "stddev by (type) (flops_any)",
  "rate(bytes_total[10m])",
  "increase(bytes_total[1h])",
  "irate(bytes_total[5m])",
  "resets(bytes_total[90m])",
  "changes(cpu_load[30m])",
  "deriv(cpu_load[20m])",
  "predict_linear(cpu_load[20m], 600)",
  "max_over_time(cpu_load[25m])",
  "quantile_over_time(0.9, flops_any[15m])",
  "stddev_over_time(cpu_load[15m])",
  "count_over_time(cpu_load[17m])",
  "max_over_time(sum(flops_any)[20m:3m])",
  "cpu_load offset 7m",
  "sum(flops_any) by (hostname) / on (hostname) cpu_load",
  "flops_any * on (hostname) group_left () cpu_load > 12",
  "cpu_load unless on (hostname) (flops_any > 4)",
  'absent(nothing{hostname="x"})',
  'label_replace(cpu_load, "rack", "r$1", "hostname", "f(.)")',
  "histogram_quantile(0.5, flops_any)",
  "scalar(sum(cpu_load)) + vector(time())",
  "clamp_max(round(cpu_load, 0.5), 12)",
  'count_values("load", round(cpu_load))',
  "-cpu_load ^ 2",
];

toolTest(
  "prometheus",
  "answers are those of a Prometheus with the same samples",
  async () => {
    await withServer(async (_server, client) => {
      await using reference = await Prometheus.start(
        series().map(forPrometheus),
      );
      const api = new PromClient(client);
      for (const query of EXPRESSIONS) {
        const range = {
          query,
          start: String(NOW - 3600 + 17),
          end: String(NOW - 60 + 17),
          step: "120",
        };
        const instant = { query, time: String(NOW + 29) };
        const cases = [["query_range", range], ["query", instant]] as const;
        for (const [path, asked] of cases) {
          const wanted = await reference.ask(path, asked);
          assert.equal(wanted.status, "success", `${query}: ${wanted.error}`);
          const { json, text } = await api.post(path, {
            ...asked,
            lookback_delta: "5m",
          });
          assert.equal(json.status, "success", text);
          assert.equal(json.data.resultType, wanted.data!.resultType);
          compare(
            sorted(json.data.result),
            sorted(wanted.data!.result),
            `${path} ${query}`,
          );
        }
      }
    });
  },
);

function sorted(result: readonly PrometheusSeries[]): PrometheusSeries[] {
  const keyOf = ({ metric }: PrometheusSeries) =>
    JSON.stringify(Object.entries(metric).sort());
  return result.toSorted((a, b) => keyOf(a) < keyOf(b) ? -1 : 1);
}

/** Values may differ in the last digits: sums are made in another order. */
function compare(
  found: readonly PrometheusSeries[],
  wanted: readonly PrometheusSeries[],
  where: string,
): void {
  const labels = (all: readonly PrometheusSeries[]) =>
    all.map(({ metric }) => metric);
  assert.deepEqual(labels(found), labels(wanted), where);
  for (const [i, { value, values = [value!] }] of found.entries()) {
    const other = wanted[i]!;
    const points = other.values ?? [other.value!];
    assert.deepEqual(
      values.map(([time]) => time),
      points.map(([time]) => time),
      where,
    );
    for (const [k, [, text]] of values.entries()) {
      const [a, b] = [Number(text), Number(points[k]![1])];
      const isEqual = text === points[k]![1] ||
        Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
      assert.ok(isEqual, `${where}: ${text} is not ${points[k]![1]}`);
    }
  }
}

async function promtool(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(
    toolProgram("promtool"),
    { args },
  ).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, text + new TextDecoder().decode(stderr));
  return text;
}

toolTest(
  "promtool",
  "promtool asks an instance by Basic, and the default one by a header",
  async () => {
    await withServer(async (server, client) => {
      await makeInstance(client, "dev", "fritz");
      const write = await client.send({
        method: "POST",
        path: "/api/write",
        body: `cpu_load,hostname=t1 value=2.5 ${NOW}`,
        headers: { "X-Scope-OrgID": "dev" },
      });
      assert.equal(write.status, 200, write.text);
      const token = await makeToken(client, "promtool", {
        scopes: ["metrics:read"],
        realms: [{ instance: "dev", cluster: "fritz" }, {
          instance: "",
          cluster: "fritz",
        }],
      });
      const urlFor = (user: string) => {
        const url = new URL(`${server.url}/prometheus`);
        url.username = user;
        url.password = encodeURIComponent(token);
        return url.href;
      };
      const dev = urlFor("dev");
      assert.equal(
        await promtool("query", "instant", `--time=${NOW}`, dev, "cpu_load"),
        `cpu_load{cluster="fritz", hostname="t1"} => 2.5 @[${NOW}]\n`,
      );
      assert.equal(
        await promtool("query", "labels", dev, "hostname"),
        "t1\n",
      );
      assert.equal(
        await promtool("query", "series", "--match=cpu_load", dev),
        '{__name__="cpu_load", cluster="fritz", hostname="t1"}\n',
      );
      const range = await promtool(
        "query",
        "range",
        `--header=Authorization=Bearer ${SAMPLE_TOKEN}`,
        `--start=${NOW - 120}`,
        `--end=${NOW}`,
        "--step=60s",
        server.url,
        "count(flops_any)",
      );
      assert.equal(
        range,
        `{} =>\n${[120, 60, 0].map((ago) => `12 @[${NOW - ago}]\n`).join("")}`,
      );
    });
  },
);
