/** Refusals of the Prometheus API: status, type and text. */
import assert from "node:assert/strict";
import { PromClient } from "./_client.ts";
import { NOW, withServer } from "./_fixture.ts";

const BY_STATUS: Readonly<Record<number, string>> = {
  400: "bad_data",
  404: "not_found",
  422: "execution",
  503: "timeout",
};

Deno.test("the Prometheus API says what is wrong", async (t) => {
  await withServer(async (client) => {
    const api = new PromClient(client);
    const refused = async (
      status: number,
      error: string,
      path: string,
      asked: Record<string, string | string[]>,
    ) => {
      const answer = await api.get(path, asked);
      assert.deepEqual(
        [answer.status, answer.json],
        [status, { status: "error", errorType: BY_STATUS[status], error }],
      );
      if (path.startsWith("label/")) return;
      assert.deepEqual((await api.post(path, asked)).json, answer.json);
    };

    await t.step("parameters that are wrong are named", async () => {
      const at = { query: "cpu_load" };
      const range = { ...at, start: "0", end: "60", step: "60" };
      const invalid = (name: string, why: string) =>
        `invalid parameter "${name}": ${why}`;
      const cases: [string, string, Record<string, string | string[]>][] = [
        [
          invalid("time", 'cannot parse "x" to a valid timestamp'),
          "query",
          { ...at, time: "x" },
        ],
        [
          invalid(
            "time",
            'cannot parse "2026-02-30T00:00:00Z" to a valid timestamp',
          ),
          "query",
          { ...at, time: "2026-02-30T00:00:00Z" },
        ],
        [
          invalid(
            "query",
            "unknown position: parse error: no expression found in input",
          ),
          "query",
          {},
        ],
        [
          invalid(
            "query",
            "1:5: parse error: unclosed left parenthesis",
          ),
          "query",
          { query: "sum(" },
        ],
        [
          invalid("timeout", 'cannot parse "soon" to a valid duration'),
          "query",
          { ...at, timeout: "soon" },
        ],
        [
          invalid("lookback_delta", "it must be more than 0"),
          "query",
          { ...at, lookback_delta: "-1" },
        ],
        [
          invalid("limit", '"-1" is no integer of at least 0'),
          "query",
          { ...at, limit: "-1" },
        ],
        [
          invalid("start", 'cannot parse "" to a valid timestamp'),
          "query_range",
          at,
        ],
        [
          invalid("end", "end timestamp must not be before start time"),
          "query_range",
          { ...range, start: "61" },
        ],
        [
          invalid("step", 'cannot parse "" to a valid duration'),
          "query_range",
          { ...at, start: "0", end: "1" },
        ],
        [
          invalid(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
          ),
          "query_range",
          { ...range, step: "0" },
        ],
        [
          "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
          "query_range",
          { ...range, end: "11001", step: "1" },
        ],
        [
          invalid(
            "query",
            'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
          ),
          "query_range",
          { ...range, query: "cpu_load[5m]" },
        ],
        ["no match[] parameter provided", "series", {}],
        [
          invalid(
            "match[]",
            "match[] must contain at least one non-empty matcher",
          ),
          "series",
          { "match[]": ["cpu_load", "{}"] },
        ],
        [
          invalid(
            "match[]",
            "match[] must contain at least one non-empty matcher",
          ),
          "labels",
          { "match[]": '{hostname=~".*"}' },
        ],
        [
          invalid(
            "match[]",
            "1:1: parse error: expected a selector without modifiers",
          ),
          "label/hostname/values",
          { "match[]": "sum(cpu_load)" },
        ],
        [
          invalid("end", "end timestamp must not be before start time"),
          "labels",
          { start: "2", end: "1" },
        ],
        [
          invalid(
            "query",
            "unknown position: parse error: no expression found in input",
          ),
          "format_query",
          {},
        ],
      ];
      for (const [error, path, asked] of cases) {
        await refused(400, error, path, asked);
      }
      const limit = await api.get("metadata", { limit: "many" });
      assert.equal(limit.json.error, "limit must be a number");
      assert.equal(limit.status, 400);
    });

    await t.step("bounds of a query are told", async () => {
      const long = `cpu_load{hostname=~"${"a".repeat(65_536)}"}`;
      const posted = await api.post("query", { query: long });
      assert.equal(posted.status, 400, posted.text);
      assert.match(posted.json.error ?? "", /longer than 65536 characters/);
      const cases: [string, number, RegExp][] = [
        [`${"(".repeat(251)}1${")".repeat(251)}`, 400, /nested more than 250/],
        [
          `cpu_load{hostname=~"(.{0,990}){1}(.{0,990}){1}${
            "(.{0,990}){1}".repeat(20)
          }"}`,
          400,
          /too large/,
        ],
        [
          `${
            Array.from(
              { length: 4 },
              (_, i) => `x{a=~"${i}.{0,990}.{0,990}.{0,990}.{0,990}"}`,
            ).join(" or ")
          }`,
          400,
          /too large together/,
        ],
        ["max_over_time(cpu_load[100y:1ms])", 422, /too many samples/],
        ["max_over_time(vector(time())[1y:1ms])", 422, /too many samples/],
        [
          'label_replace(cpu_load, "hostname", "x", "", "")',
          422,
          /same labelset/,
        ],
      ];
      for (const [query, status, error] of cases) {
        const answer = await api.post("query", { query, time: `${NOW}` });
        assert.equal(answer.status, status, query.slice(0, 60));
        assert.match(answer.json.error ?? "", error);
        assert.equal(answer.json.errorType, BY_STATUS[status]);
      }
    });
  });
});
