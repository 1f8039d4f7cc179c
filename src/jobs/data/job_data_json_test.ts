import assert from "node:assert/strict";
import { JsonWriter } from "../../metricstore/query/json_writer.ts";
import type { JobData } from "./job_data.ts";
import { writeJobData, writeJobMetric } from "./job_data_json.ts";

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

Deno.test("writeJobData writes leading nulls up to a bound, beyond it the series begins at its first sample", () => {
  const dataOf = (leadingNulls: number) => {
    const text = textOf(
      new Map([[
        "m",
        new Map([["node", {
          unit: { base: "" },
          timestep: 60,
          series: [{
            hostname: "h",
            statistics: { min: 1, avg: 1, max: 1 },
            leadingNulls,
            data: Float64Array.of(1, NaN),
          }],
        }]]),
      ]]),
    );
    return JSON.parse(text).m.node.series[0].data;
  };
  assert.deepEqual(dataOf(3), [null, null, null, 1, null]);
  const most = dataOf(20_000);
  assert.equal(most.length, 20_002);
  assert.equal(most.indexOf(1), 20_000);
  assert.deepEqual(dataOf(20_001), [1, null]);
  assert.deepEqual(dataOf(28_000_000), [1, null]);
});

Deno.test("writeJobMetric writes long series in steps that make the same text", () => {
  const data = Float64Array.from(
    { length: 50_000 },
    (_, i) => i % 5 === 0 ? NaN : i / 7,
  );
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  const out = new JsonWriter((bytes) => pieces.push(decoder.decode(bytes)));
  let steps = 0;
  for (
    const _ of writeJobMetric(out, {
      unit: { base: "" },
      timestep: 1,
      series: [{
        hostname: "h",
        statistics: { min: 0, avg: 0, max: 0 },
        leadingNulls: 7,
        data,
      }],
    })
  ) steps++;
  out.flush();
  assert.ok(steps > 5 && pieces.length > 2);
  assert.deepEqual(JSON.parse(pieces.join("")).series[0].data, [
    ...Array<null>(7).fill(null),
    ...Array.from(data, (value) => isNaN(value) ? null : value),
  ]);
});
