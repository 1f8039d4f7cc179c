import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { JsonWriter } from "../../metricstore/query/json_writer.ts";
import { inPieces, readText } from "./_reader_fixture.ts";
import type { JobData } from "./job_data.ts";
import { writeJobData } from "./job_data_json.ts";
import { readMetrics, readOutline } from "./job_data_reader.ts";
import { JsonCursor } from "./json_cursor.ts";

const NOTHING = { min: 0, avg: 0, max: 0 };

function textOf(data: JobData): string {
  const decoder = new TextDecoder();
  let text = "";
  const writer = new JsonWriter((bytes) =>
    text += decoder.decode(bytes, { stream: true })
  );
  writeJobData(writer, data);
  writer.flush();
  return text;
}

const SMALL: JobData = new Map([
  ["leer", new Map()],
  [
    "m",
    new Map([["node", {
      unit: { base: "W", prefix: "M" },
      timestep: 30,
      series: [{
        hostname: 'h"\u{1f600}',
        id: "7",
        statistics: { min: 0.1, avg: 0.2, max: 1 / 3 },
        leadingNulls: 2,
        data: Float64Array.of(0.1, NaN, -1e-300, 1 / 3),
      }, {
        hostname: "none",
        statistics: NOTHING,
        data: Float64Array.of(),
      }],
      statisticsSeries: {
        percentiles: new Map([["25", Float64Array.of(1, 2)]]),
        mean: Float64Array.of(NaN, 4),
        median: null,
        min: Float64Array.of(),
        max: null,
      },
    }]]),
  ],
]);

Deno.test("readMetrics() reads what writeJobData has written, however it is cut", async () => {
  const text = textOf(SMALL);
  for (let bytes = 1; bytes <= text.length; bytes++) {
    assert.deepEqual(await readText(text, bytes), SMALL, `${bytes} bytes`);
  }
  const spaced = JSON.stringify(JSON.parse(text), null, 4);
  for (const bytes of [1, 7, 1000]) {
    assert.deepEqual(await readText(spaced, bytes), SMALL);
  }
});

Deno.test("readMetrics() takes leading nulls for a number, whatever their number", async () => {
  const text = (data: string) =>
    `{"m":{"node":{"timestep":1,"series":[{"hostname":"h","data":[${data}]}]}}}`;
  const seriesOf = async (data: string) =>
    (await readText(text(data), 1 << 16)).get("m")?.get("node")?.series[0];
  const many = await seriesOf(`${"null,".repeat(3_000_000)}1,null,2`);
  assert.equal(many?.leadingNulls, 3_000_000);
  assert.deepEqual(many?.data, Float64Array.of(1, NaN, 2));
  const none = await seriesOf("null, null");
  assert.equal(none?.leadingNulls, 2);
  assert.equal(none?.data.length, 0);
  assert.equal((await seriesOf("1,null"))?.leadingNulls, undefined);
});

Deno.test("readMetrics() reads numbers as JSON.parse does", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.constant(null),
        ),
        { maxLength: 200 },
      ),
      fc.integer({ min: 1, max: 500 }),
      async (list, bytes) => {
        const text = JSON.stringify({
          m: { node: { timestep: 1, series: [{ hostname: "h", data: list }] } },
        });
        const [series] = (await readText(text, bytes)).get("m")?.get("node")
          ?.series ?? [];
        const values = [
          ...Array<null>(series?.leadingNulls ?? 0).fill(null),
          ...Array.from(series?.data ?? [], (one) => isNaN(one) ? null : one),
        ];
        assert.equal(JSON.stringify(values), JSON.stringify(list));
      },
    ),
    { numRuns: fuzzRuns(200) },
  );
});

Deno.test("readMetrics() keeps in memory what is wanted, one metric at a time", async () => {
  const scope = (text: string) =>
    `{"timestep":1,"old":{"a":[1,[2]],"]":"}"},"series":[{"hostname":"h","data":${text}}]}`;
  const text = `{"a":{"core":${scope("[1]")},"node":${scope("[2]")}},` +
    `"b":{"core":${scope(`["wrong"]`)}},"c":{"node":${scope("null")}}}`;
  for (const bytes of [1, 5, 1000]) {
    const outline = await readOutline(new JsonCursor(inPieces(text, bytes)));
    assert.deepEqual([...outline], [
      ["a", ["core", "node"]],
      ["b", ["core"]],
      ["c", ["node"]],
    ]);
    const found: [string, string[], number | undefined][] = [];
    await readMetrics(
      new JsonCursor(inPieces(text, bytes)),
      (_, scope) => scope === "node",
      ({ name, scopes }) => {
        found.push([
          name,
          [...scopes.keys()],
          scopes.get("node")?.series[0]?.data[0],
        ]);
      },
    );
    assert.deepEqual(found, [["a", ["node"], 2], ["c", ["node"], undefined]]);
  }
});

Deno.test("JsonCursor lets others have their turn while it reads", async () => {
  const text = `{"m":{"node":{"timestep":1,"series":[{"hostname":"h","data":[${
    "1.5,".repeat(500_000)
  }1]}]}}}`;
  let pauses = 0;
  const cursor = new JsonCursor(inPieces(text, 1 << 20), () => {
    pauses++;
    return Promise.resolve();
  });
  await readMetrics(cursor, () => true, () => {});
  assert.ok(pauses >= text.length >> 19, `${pauses} pauses`);
});

Deno.test("readMetrics() fills in what old files lack", async () => {
  const json = {
    m: { node: { timestep: 60, old: 1, series: [{ hostname: "h" }] } },
  };
  assert.deepEqual(
    (await readText(JSON.stringify(json))).get("m")?.get("node"),
    {
      unit: { base: "" },
      timestep: 60,
      series: [{
        hostname: "h",
        statistics: NOTHING,
        data: new Float64Array(0),
      }],
    },
  );
});

Deno.test("readMetrics() reads the data of a real job value for value", async () => {
  const packed = Deno.readFileSync(
    new URL(
      "../../../tests/testdata/emmy/1403244-data.json.gz",
      import.meta.url,
    ),
  );
  const json = JSON.parse(gunzipSync(Buffer.from(packed)).toString("utf8"));
  const data = await readText(JSON.stringify(json));
  const again = JSON.parse(textOf(data));
  assert.deepEqual(Object.keys(again), Object.keys(json).sort());
  for (const [name, scopes] of data) {
    const { series } = scopes.get("node") ?? { series: [] };
    assert.equal(series.length, 32);
    series.forEach(({ hostname }, i) => {
      const original = json[name].node.series[i];
      assert.equal(hostname, original.hostname);
      assert.deepEqual(again[name].node.series[i].data, original.data);
    });
  }
});

Deno.test("readMetrics() names the place of what it cannot read", async () => {
  for (
    const [json, message] of [
      [[], /^job data: expected an object$/],
      [{ m: { rack: {} } }, /^m\.rack: expected one of node, socket/],
      [{ m: { node: { timestep: 0 } } }, /^m\.node\.timestep: /],
      [{ m: { node: { timestep: 1, series: [{}] } } }, /series\.0\.hostname/],
      [{
        m: {
          node: { timestep: 1, series: [{ hostname: "h", data: [1, "2"] }] },
        },
      }, /^m\.node\.series\.0\.data\.1: expected a number or null$/],
    ] as const
  ) {
    await assert.rejects(readText(JSON.stringify(json)), {
      name: "SyntaxError",
      message,
    });
  }
});

Deno.test("readMetrics() refuses what is no JSON, wherever it ends", async () => {
  const text = textOf(SMALL);
  for (let length = 0; length < text.length; length++) {
    await assert.rejects(readText(text.slice(0, length), 9), {
      name: "SyntaxError",
    }, text.slice(0, length));
  }
  const series = (data: string) =>
    `{"m":{"node":{"timestep":1,"series":[{"hostname":"h","data":${data}}]}}}`;
  for (
    const bad of [
      ...["[1,]", "[,1]", "[1 2]", "[1,,2]", "[[1]]", "[1}", "[tru]"].map(
        series,
      ),
      `${text}x`,
      `{"m" {}}`,
      `{"m":{},}`,
      `{"m":{};"n":{}}`,
    ]
  ) {
    for (const bytes of [1, 1000]) {
      await assert.rejects(readText(bad, bytes), { name: "SyntaxError" }, bad);
    }
  }
});

Deno.test("readMetrics() takes a unit that is a text", async () => {
  const data = await readText('{"m":{"node":{"timestep":1,"unit":"MHz"}}}');
  assert.deepEqual(data.get("m")?.get("node")?.unit, { base: "MHz" });
});
