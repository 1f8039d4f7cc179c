import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { JsonWriter } from "../query/json_writer.ts";
import type { JobData } from "./job_data.ts";
import { readJobData, writeJobData } from "./job_data_json.ts";

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

Deno.test("writeJobData sorts keys, escapes names and writes NaN as null", () => {
  const data: JobData = new Map([
    ["b", new Map()],
    [
      "a",
      new Map([["core", {
        unit: { base: "F/s", prefix: "G" },
        timestep: 60,
        series: [{
          hostname: 'h"1',
          id: "7",
          statistics: { min: 1, avg: 1.5, max: 2 },
          data: Float64Array.of(1, NaN, 2),
        }],
        statisticsSeries: {
          mean: null,
          median: Float64Array.of(1),
          min: Float64Array.of(),
          max: Float64Array.of(NaN),
        },
      }], ["accelerator", { unit: { base: "" }, timestep: 1, series: [] }]]),
    ],
  ]);
  assert.equal(
    textOf(data),
    '{"a":{"accelerator":{"unit":{"base":""},"series":[],"timestep":1},' +
      '"core":{"statisticsSeries":{"mean":null,"median":[1],"min":[],"max":[null]},' +
      '"unit":{"base":"F/s","prefix":"G"},"series":[{"hostname":"h\\"1","id":"7",' +
      '"statistics":{"min":1,"avg":1.5,"max":2},"data":[1,null,2]}],"timestep":60}},' +
      '"b":{}}',
  );
});

Deno.test("readJobData reads what writeJobData has written", () => {
  const data: JobData = new Map([[
    "m",
    new Map([["node", {
      unit: { base: "W" },
      timestep: 30,
      series: [{
        hostname: "h",
        statistics: { min: 0.1, avg: 0.2, max: 1 / 3 },
        data: Float64Array.of(0.1, NaN, 1 / 3),
      }],
      statisticsSeries: {
        percentiles: new Map([["25", Float64Array.of(1, 2)]]),
        mean: Float64Array.of(4),
        median: null,
        min: Float64Array.of(),
        max: null,
      },
    }]]),
  ]]);
  assert.deepEqual(readJobData(JSON.parse(textOf(data))), data);
});

Deno.test("readJobData fills in what old files lack", () => {
  const json = {
    m: { node: { timestep: 60, old: 1, series: [{ hostname: "h" }] } },
  };
  assert.deepEqual(
    readJobData(json).get("m")?.get("node"),
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

Deno.test("readJobData reads a unit that is one text", () => {
  const json = { m: { node: { timestep: 60, unit: "load", series: [] } } };
  const metric = readJobData(json).get("m")?.get("node");
  assert.deepEqual(metric?.unit, { base: "load" });
});

Deno.test("readJobData reads the data of a real job value for value", () => {
  const packed = Deno.readFileSync(
    new URL("../../tests/testdata/emmy/1403244-data.json.gz", import.meta.url),
  );
  const json = JSON.parse(gunzipSync(Buffer.from(packed)).toString("utf8"));
  const data = readJobData(json);
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

Deno.test("readJobData names the place of what it cannot read", () => {
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
    assert.throws(() => readJobData(json), { name: "SyntaxError", message });
  }
});
