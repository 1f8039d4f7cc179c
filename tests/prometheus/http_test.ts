/** The Prometheus API over a running server: paths, parameters and answers. */
import assert from "node:assert/strict";
import { PromClient } from "./_client.ts";
import { HOSTS, NOW, START, withServer } from "./_fixture.ts";

const PREFIXES = ["/prometheus/api/v1", "/api/prom/api/v1", "/api/v1"];

Deno.test("the Prometheus API over HTTP", async (t) => {
  await withServer(async (client) => {
    const api = new PromClient(client);
    await t.step("all prefixes answer alike, by GET and by POST", async () => {
      const asked = { query: "sum by (hostname) (flops_any)", time: `${NOW}` };
      const wanted = {
        status: "success",
        data: {
          resultType: "vector",
          result: HOSTS.map((hostname) => ({
            metric: { hostname },
            value: [NOW, "3"],
          })),
        },
      };
      for (const prefix of PREFIXES) {
        const one = new PromClient(client, { prefix });
        for (
          const answer of [
            await one.get("query", asked),
            await one.post("query", asked),
          ]
        ) {
          assert.equal(answer.status, 200, answer.text);
          assert.equal(answer.headers["content-type"], "application/json");
          assert.deepEqual(answer.json, wanted);
        }
      }
    });

    await t.step("paths are exact, methods are told", async () => {
      const cases: [string, string, number, string | undefined][] = [
        ["GET", "/query/", 404, undefined],
        ["GET", "/nothing", 404, undefined],
        ["GET", "/parse_query", 404, undefined],
        ["HEAD", "/query", 405, "GET, POST"],
        ["PUT", "/query", 405, "GET, POST"],
        ["DELETE", "/series", 405, "GET, POST"],
        ["POST", "/label/hostname/values", 405, "GET"],
        ["POST", "/metadata", 405, "GET"],
        ["POST", "/status/buildinfo", 405, "GET"],
        ["PATCH", "/rules", 405, "GET"],
      ];
      for (const prefix of PREFIXES) {
        for (const [method, path, status, allow] of cases) {
          const answer = await client.send({ method, path: prefix + path });
          assert.equal(answer.status, status, `${method} ${path}`);
          assert.equal(answer.headers["allow"], allow, `${method} ${path}`);
          if (status === 404) {
            const { errorType } = JSON.parse(answer.text);
            assert.equal(errorType, "not_found");
          }
        }
      }
    });

    await t.step("what others serve is not found, in words", async () => {
      for (
        const path of [
          "/prometheus/config/v1/rules",
          "/prometheus/config/v1/rules/test/test",
          "/api/prom/rules",
          "/api/prom/rules/test/test",
          "/api/v1/rules/test/test",
          "/otlp/v1/metrics",
          "/api/v1/otlp/v1/metrics",
          "/federate",
          "/api/v1/upload/block/x/start",
          "/distributor/ring",
          "/api/v1/user_limits",
        ]
      ) {
        const answer = await client.send({ method: "GET", path });
        assert.equal(answer.status, 404, path);
        assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
        assert.match(answer.text, /page not found/, path);
      }
    });

    await t.step("what is not here is empty", async () => {
      const targets = {
        activeTargets: [],
        droppedTargets: [],
        droppedTargetCounts: {},
      };
      const cases: [string, unknown][] = [
        ["rules", { groups: [] }],
        ["rules?type=alert&limit_alerts=1", { groups: [] }],
        ["alerts", { alerts: [] }],
        ["query_exemplars?query=x", []],
        ["targets?state=active", targets],
        ["targets/metadata", []],
        ["scrape_pools", { scrapePools: [] }],
        ["alertmanagers", {
          activeAlertmanagers: [],
          droppedAlertmanagers: [],
        }],
        ["status/flags", {}],
        ["status/config", {}],
        ["features", {}],
        ["metadata", {}],
        ["query?query=nothing", { resultType: "vector", result: [] }],
        ["query_range?query=nothing&start=0&end=1&step=1", {
          resultType: "matrix",
          result: [],
        }],
        ["labels?match[]=nothing", []],
        ["label/nothing/values", []],
        ["series?match[]=nothing", []],
      ];
      for (const [path, data] of cases) {
        const answer = await api.get(path);
        assert.deepEqual(
          [answer.status, answer.json],
          [200, { status: "success", data }],
          path,
        );
      }
    });

    await t.step(
      "the build has no features, the runtime has series",
      async () => {
        const { data } = (await api.get("status/buildinfo")).json;
        assert.deepEqual(Object.keys(data), [
          "application",
          "version",
          "revision",
          "branch",
          "buildUser",
          "buildDate",
          "goVersion",
        ]);
        assert.equal(data.application, "ringstore");
        assert.equal(data.version, "3.14.0");
        const runtime = (await api.get("status/runtimeinfo")).json.data;
        assert.equal(runtime.timeSeriesCount, 9);
        assert.equal(runtime.storageRetention, "172800s");
      },
    );

    await t.step(
      "URL and body are merged, other bodies are not read",
      async () => {
        const both = await client.send({
          method: "POST",
          path: "/api/v1/series?match[]=cpu_load{hostname=%22f1%22}",
          body: "match[]=cpu_load%7Bhostname%3D%22f2%22%7D",
          headers: { "Content-Type": "application/x-www-form-urlencoded" },
        });
        const { data } = JSON.parse(both.text) as {
          data: { hostname: string }[];
        };
        assert.deepEqual(data.map(({ hostname }) => hostname), ["f1", "f2"]);
        const other = await api.post(
          "query",
          { query: "1" },
          "application/json",
        );
        assert.equal(other.status, 400);
        const typed = await api.post(
          "query",
          { query: "1", time: "4" },
          "application/x-www-form-urlencoded; charset=UTF-8",
        );
        assert.deepEqual(typed.json.data, {
          resultType: "scalar",
          result: [4, "1"],
        });
      },
    );

    await t.step(
      "names and values honour selectors, times and limits",
      async () => {
        const values = async (label: string, asked = {}) =>
          (await api.get(`label/${label}/values`, asked)).json;
        assert.deepEqual((await values("hostname")).data, HOSTS);
        assert.deepEqual(
          (await values("__name__", { "match[]": '{__name__=~".+",}' })).data,
          ["cpu_load", "flops_any"],
        );
        assert.deepEqual(
          (await values("U__host_6e_ame", { "match[]": '{__name__!=""}' }))
            .data,
          HOSTS,
        );
        assert.deepEqual(
          (await values("type_id", { "match[]": "flops_any" })).data,
          ["0", "1"],
        );
        assert.deepEqual(
          (await values("hostname", { start: "0", end: `${START - 1}` })).data,
          [],
        );
        assert.deepEqual(await values("hostname", { limit: "2" }), {
          status: "success",
          data: ["f1", "f2"],
          warnings: ["results truncated due to limit"],
        });
        assert.deepEqual(
          (await api.get("labels", { "match[]": "cpu_load" })).json.data,
          ["__name__", "cluster", "hostname"],
        );
        const limited =
          (await api.get("query", { query: "flops_any", limit: "1" }))
            .json;
        assert.equal(limited.data.result.length, 1);
        assert.deepEqual(limited.warnings, ["results truncated due to limit"]);
      },
    );

    await t.step("odd texts come back as they are", async () => {
      for (const text of ["a\\u0000b", "€ 😀", '\\"', "\\n"]) {
        const query = `label_replace(vector(1), "x y", "${text}", "", "")`;
        const { json } = await api.post("query", { query, time: "1" });
        const wanted = JSON.parse(`"${text}"`);
        assert.deepEqual(json.data.result, [
          { metric: { "x y": wanted }, value: [1, "1"] },
        ]);
      }
      const nul = await api.get("query", { query: "cpu\0load" });
      assert.equal(nul.status, 400);
      assert.match(nul.json.error ?? "", /parse error/);
      const unknown = await api.get(
        `label/${encodeURIComponent("\0 /")}/values`,
      );
      assert.deepEqual([unknown.status, unknown.json.data], [200, []]);
      const bad = await client.send({
        method: "GET",
        path: "/api/v1/label/%zz/values",
      });
      assert.equal(bad.status, 400);
    });

    await t.step("remarks, statistics and lookback", async () => {
      const { json } = await api.get("query", {
        query: "rate(cpu_load[10m]) and quantile(2, cpu_load)",
        time: `${NOW}`,
        stats: "true",
      });
      assert.deepEqual(json.infos, [
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "cpu_load" (1:6)',
      ]);
      assert.deepEqual(json.warnings, [
        "PromQL warning: quantile value should be between 0 and 1, got 2 (1:34)",
      ]);
      const { timings, samples } = json.data.stats;
      assert.equal(typeof timings.evalTotalTime, "number");
      assert.ok(samples.totalQueryableSamples > 0);
      assert.ok(samples.peakSamples > 0);
      const without = await api.get("query", { query: "1" });
      assert.equal(without.json.data.stats, undefined);
      const late = `${NOW + 60 * 9}`;
      const counts = await Promise.all(
        [{}, { lookback_delta: "10m" }, { lookback_delta: "500" }].map(
          async (more) =>
            (await api.get("query", { query: "cpu_load", time: late, ...more }))
              .json.data.result.length,
        ),
      );
      assert.deepEqual(counts, [0, 3, 0]);
    });

    await t.step("format_query prints", async () => {
      assert.deepEqual(
        (await api.get("format_query", { query: "sum( x )by(a)" })).json.data,
        "sum by (a) (x)",
      );
    });

    await t.step("promtool's checks are answered", async () => {
      for (const path of ["/-/healthy", "/-/ready"]) {
        for (const prefix of ["", "/prometheus"]) {
          for (const method of ["GET", "HEAD"]) {
            const answer = await client.send({
              method,
              path: prefix + path,
              authorization: null,
            });
            assert.equal(answer.status, 200, prefix + path);
          }
        }
      }
    });

    await t.step(
      "the server counts questions by what became of them",
      async () => {
        const { text } = await client.send({ method: "GET", path: "/metrics" });
        const value = (name: string) =>
          Number(
            text.split("\n").find((line) => line.startsWith(`${name} `))
              ?.split(" ")[1] ?? NaN,
          );
        const of = (endpoint: string, outcome: string) =>
          value(
            `ringstore_promql_queries_total{endpoint="${endpoint}",outcome="${outcome}"}`,
          );
        assert.ok(of("query", "success") > 10);
        assert.equal(of("query", "bad_data"), 2);
        assert.ok(of("series", "success") >= 1);
        for (
          const name of [
            "promql_queue_seconds_total",
            "promql_evaluator_seconds_total",
            "promql_samples_read_total",
          ]
        ) {
          assert.ok(value(`ringstore_${name}{endpoint="query"}`) >= 0, name);
        }
        assert.equal(value("ringstore_promql_queries_running"), 0);
        assert.equal(value("ringstore_promql_queries_waiting"), 0);
        assert.ok(value('ringstore_selected_samples_total{shard="0"}') >= 0);
        assert.equal(value('ringstore_selections_open{shard="0"}'), 0);
      },
    );
  });
});
