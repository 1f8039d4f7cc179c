/** Which nodes are spared, whatever the backend says or does not say. */
import assert from "node:assert/strict";
import { NodeProvider } from "./used_nodes.ts";

function provider(answers: (Response | Error)[]) {
  const failures: string[] = [];
  const requests: Request[] = [];
  const it = new NodeProvider({
    backendUrl: "http://backend:8080",
    token: "secret",
    retentionSec: 100,
    onFailure: (reason) => failures.push(reason),
    fetch: (input, init) => {
      requests.push(new Request(input, init));
      const answer = answers.shift()!;
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(answer);
    },
  });
  return { it, failures, requests };
}

Deno.test("NodeProvider.nodes() understands both shapes and sends limit and token", async () => {
  const { it, requests, failures } = provider([
    Response.json({ fritz: ["f0201"] }),
    Response.json({ usedNodes: { alex: ["a0101", "a0102"] } }),
  ]);
  assert.deepEqual(await it.nodes(900, 1000), { fritz: ["f0201"] });
  assert.deepEqual(await it.nodes(901, 1001), { alex: ["a0101", "a0102"] });
  assert.equal(
    requests[0]!.url,
    "http://backend:8080/api/jobs/used_nodes?ts=900",
  );
  assert.equal(requests[0]!.headers.get("authorization"), "Bearer secret");
  assert.deepEqual(failures, []);
});

Deno.test("NodeProvider.nodes() keeps the last answer for one retention period, then spares none", async () => {
  const { it, failures } = provider([
    Response.json({ fritz: ["f0201"] }),
    new Response("no", { status: 401 }),
    new TypeError("connection refused"),
    Response.json({ fritz: "f0201" }),
  ]);
  await it.nodes(0, 1000);
  assert.deepEqual(await it.nodes(0, 1050), { fritz: ["f0201"] });
  assert.deepEqual(await it.nodes(0, 1100), { fritz: ["f0201"] });
  assert.deepEqual(await it.nodes(0, 1101), {});
  assert.equal(failures[0], "the backend answers 401");
  assert.equal(failures[1], "connection refused");
  assert.equal(failures.length, 3);
});
