import assert from "node:assert/strict";
import { BackendNodes } from "./node_provider.ts";

/** A backend on loopback that gives every question the same answer. */
function backend(answer: () => Response) {
  const requests: { url: string; authorization: string | null }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url, headers }) => {
      requests.push({ url, authorization: headers.get("authorization") });
      return answer();
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function nodesFrom(answer: Response, token = "") {
  await using it = backend(() => answer);
  return await new BackendNodes({ url: it.url, token }).usedNodes(900);
}

Deno.test("BackendNodes.usedNodes() understands both shapes, and Go's null for an empty list", async () => {
  const usedNodes = { alex: ["a0101", "a0102"], fritz: null };
  const expected = new Map([
    ["alex", new Set(["a0101", "a0102"])],
    ["fritz", new Set<string>()],
  ]);
  assert.deepEqual(await nodesFrom(Response.json({ usedNodes })), expected);
  assert.deepEqual(await nodesFrom(Response.json(usedNodes)), expected);
  assert.deepEqual(
    await nodesFrom(Response.json({ usedNodes: null })),
    new Map(),
  );
});

Deno.test("BackendNodes.usedNodes() sends the limit and the token, below the path of the URL", async () => {
  await using it = backend(() => Response.json({}));
  const url = `${it.url}/cc/`;
  await new BackendNodes({ url, token: "secret" }).usedNodes(900);
  await new BackendNodes({ url, token: "" }).usedNodes(901);
  const [first, second] = it.requests;
  assert.equal(first!.url, `${it.url}/cc/api/jobs/used_nodes?ts=900`);
  assert.equal(first!.authorization, "Bearer secret");
  assert.equal(second!.authorization, null);
});

Deno.test("BackendNodes.usedNodes() rejects with what is wrong with the answer", async () => {
  const cases: [Response, RegExp][] = [
    [new Response("no", { status: 401 }), /answers 401/],
    [Response.redirect("http://127.0.0.1:1/", 302), /answers 302/],
    [new Response("<html>"), /no JSON/],
    [Response.json([1]), /no list of nodes/],
    [Response.json({ fritz: "f0201" }), /no list of nodes/],
    [new Response(`"${"x".repeat((16 << 20) + 1)}"`), /longer than/],
  ];
  for (const [answer, reason] of cases) {
    await assert.rejects(nodesFrom(answer, "secret"), reason);
  }
});

Deno.test("BackendNodes.usedNodes() gives up on a backend that does not answer", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => promise,
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const nodes = new BackendNodes({ url, token: "", timeoutMs: 20 });
  await assert.rejects(nodes.usedNodes(1), /timeout/);
  resolve(new Response());
  await server.shutdown();
});
