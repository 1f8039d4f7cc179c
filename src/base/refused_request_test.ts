import assert from "node:assert/strict";
import { jobFields } from "./refused_request.ts";

Deno.test("jobFields() gives job and cluster of a request, as far as there are some", () => {
  const cases: [string, Record<string, string | undefined>][] = [
    ['{"jobId":5,"cluster":"emmy"}', { job: "5", cluster: "emmy" }],
    ['{"jobId":9007199254740993}', {
      job: "9007199254740993",
      cluster: undefined,
    }],
    ['{"jobId":"7","cluster":3}', { job: "7", cluster: "3" }],
    ['{"cluster":["a"],"nodes":[]}', { job: undefined, cluster: undefined }],
    ["[]", { job: undefined, cluster: undefined }],
    ["5", {}],
    ["null", {}],
    ["{", {}],
    ["", {}],
    [`{"cluster":"${"x".repeat(99)}"}`, {
      job: undefined,
      cluster: "x".repeat(64),
    }],
    [`{"jobId":1,"x":"${"x".repeat(1 << 20)}"}`, {}],
  ];
  for (const [json, fields] of cases) {
    assert.deepEqual(jobFields(json), fields);
    assert.deepEqual(jobFields(new TextEncoder().encode(json)), fields);
  }
});
