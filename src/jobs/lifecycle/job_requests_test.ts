import assert from "node:assert/strict";
import { ClientError } from "../../base/errors.ts";
import {
  deleteJobSchema,
  editMetaByKeySchema,
  editMetaSchema,
  finalState,
  metricNamesSchema,
  nodeStateSchema,
  stopJobSchema,
  tagsSchema,
  userChangeSchema,
} from "./job_requests.ts";
import { decodeRequest } from "./request_json.ts";

function assertRefused(
  schema: Parameters<typeof decodeRequest>[0],
  body: string,
): void {
  assert.throws(
    () => decodeRequest(schema, body),
    (error) => error instanceof ClientError && error.status === 400,
    body,
  );
}

Deno.test("stopJobSchema takes what clients send", () => {
  assert.deepEqual(
    decodeRequest(
      stopJobSchema,
      '{"jobId":1,"cluster":"a","jobState":"failed","stopTime":5}',
    ),
    { jobId: 1, cluster: "a", jobState: "failed", stopTime: 5 },
  );
  assert.deepEqual(decodeRequest(stopJobSchema, '{"jobId":1}'), {
    jobId: 1,
    jobState: "completed",
    stopTime: 0,
  });
  assertRefused(stopJobSchema, '{"cluster":"a","stopTime":5}');
  assertRefused(stopJobSchema, '{"jobId":1,"bogus":1}');
});

Deno.test("finalState knows the states in which a job is over", () => {
  assert.equal(finalState("out_of_memory"), "out_of_memory");
  assert.equal(finalState(""), "completed");
  const requeued = ["pending", "requeued", "requeue_hold", "special_exit"];
  for (const state of [...requeued, "revoked"]) {
    assert.equal(finalState(state), "preempted", state);
  }
  for (const state of ["running", "suspended"]) {
    assert.equal(finalState(state), "unfinished", state);
  }
  for (const state of ["stopped", "PENDING", "completing", "x"]) {
    assert.equal(finalState(state), undefined, state);
  }
});

Deno.test("tagsSchema refuses ids and what is no list", () => {
  assert.deepEqual(decodeRequest(tagsSchema, '[{"type":"t","name":"n"}]'), [
    { type: "t", name: "n", scope: "" },
  ]);
  assertRefused(tagsSchema, '[{"type":"t","name":"n","id":3}]');
  assertRefused(tagsSchema, '[{"type":"","name":"n"}]');
  assertRefused(tagsSchema, "{}");
  assertRefused(tagsSchema, "null");
});

Deno.test("editMetaSchema and its form by key want a key that is not empty", () => {
  assert.deepEqual(decodeRequest(editMetaSchema, '{"key":"k","value":"v"}'), {
    key: "k",
    value: "v",
  });
  assertRefused(editMetaSchema, '{"key":"","value":"v"}');
  assertRefused(editMetaSchema, '{"bogus":1}');
  assertRefused(editMetaByKeySchema, '{"payload":{"key":"k","value":"v"}}');
  assert.equal(
    decodeRequest(
      editMetaByKeySchema,
      '{"jobId":2,"payload":{"key":"k","value":"v"}}',
    ).payload.key,
    "k",
  );
});

Deno.test("deleteJobSchema wants the job's id", () => {
  assert.deepEqual(decodeRequest(deleteJobSchema, '{"jobId":2}'), { jobId: 2 });
  assertRefused(deleteJobSchema, "{}");
});

Deno.test("metricNamesSchema takes null for all metrics", () => {
  assert.equal(decodeRequest(metricNamesSchema, "null"), undefined);
  assert.deepEqual(decodeRequest(metricNamesSchema, "[]"), []);
  assertRefused(metricNamesSchema, "{}");
  assertRefused(metricNamesSchema, "[1]");
});

Deno.test("nodeStateSchema takes reports with and without numbers", () => {
  const body = '{"cluster":"a","nodes":[{"hostname":"h","states":["IDLE"]}]}';
  assert.deepEqual(decodeRequest(nodeStateSchema, body).nodes[0], {
    hostname: "h",
    states: ["IDLE"],
    cpusAllocated: 0,
    memoryAllocated: 0,
    gpusAllocated: 0,
    jobsRunning: 0,
  });
  assertRefused(nodeStateSchema, '{"cluster":"a","bogus":1}');
  assertRefused(nodeStateSchema, "");
});

Deno.test("userChangeSchema takes texts only", () => {
  assert.equal(
    decodeRequest(userChangeSchema, '{"add-role":"manager"}')["add-role"],
    "manager",
  );
  assertRefused(userChangeSchema, '{"add-role":1}');
});
