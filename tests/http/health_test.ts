/** The contract of `/api/healthcheck`. */
import assert from "node:assert/strict";
import { Fixture } from "./fixture.ts";

Deno.test("healthcheck answers in the order asked, with metrics inside a string", async () => {
  await using door = await Fixture.start();
  door.engine.healthByNode.set("10", {
    state: "partial",
    known: true,
    degraded: ["m60"],
    missing: ["zzz"],
  });
  const body = JSON.stringify({
    cluster: "T",
    nodes: ["b", "10"],
    "metric-names": ["m60", "zzz"],
  });
  for (const method of ["GET", "POST"]) {
    const answer = await door.ask(method, "/api/healthcheck/", { body });
    assert.equal(answer.status, 200);
    assert.equal(
      answer.text,
      '{"b":{"State":"failed","HealthMetrics":""},' +
        '"10":{"State":"partial","HealthMetrics":' +
        '"{\\"degraded\\":[\\"m60\\"],\\"missing\\":[\\"zzz\\"]}"}}\n',
    );
  }
});

Deno.test("healthcheck takes its question from the query string as well", async () => {
  await using door = await Fixture.start();
  const path = "/api/healthcheck/?cluster=T&node=h1&node=h%202";
  assert.equal((await door.ask("GET", path)).status, 200);
  await door.ask("GET", `${path}&metric-names=a&metric-names=b`);
  assert.deepEqual(door.engine.healthQuestions, [
    { cluster: "T", nodes: ["h1", "h 2"], metrics: undefined },
    { cluster: "T", nodes: ["h1", "h 2"], metrics: ["a", "b"] },
  ]);
});

Deno.test("healthcheck with states of nodes follows the rules of the job API", async () => {
  await using door = await Fixture.start();
  for (const nodes of ['[{"hostname":"h1"}]', "[]"]) {
    const answer = await door.ask("POST", "/api/healthcheck", {
      role: "user",
      body: `{"cluster":"T","nodes":${nodes}}`,
    });
    assert.equal(answer.status, 401);
  }
});

Deno.test("healthcheck refuses what it does not understand", async () => {
  await using door = await Fixture.start();
  const cases: [string, string | undefined, RegExp][] = [
    ["GET", "nope", /^parsing request body failed: not JSON/],
    ["GET", undefined, /^parsing request body failed: EOF/],
    ["GET", '{"cluster":"T","nodez":[]}', /nodez/],
    ["GET", '{"cluster":"T","nodes":["h1",7]}', /nodes\[1\]: .*got 7/],
  ];
  for (const [method, body, wanted] of cases) {
    const answer = await door.ask(
      method,
      "/api/healthcheck",
      body === undefined ? {} : { body },
    );
    assert.equal(answer.status, 400, body);
    assert.match(JSON.parse(answer.text).error, wanted);
  }
  assert.equal(door.engine.healthQuestions.length, 0);
});
