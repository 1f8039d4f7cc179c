/**
 * Faults of the platform that docs/decisions/0011 names as reasons. A test here fails
 * when a version of Deno mends its fault: then the detour may no longer be needed.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { request } from "node:http";
import { createZstdDecompress, zstdCompressSync } from "node:zlib";

/** Returns what the stream gives for the bytes. Rejects with its error. */
function inflate(bytes: Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stream = createZstdDecompress();
  let text = "";
  stream.on("data", (chunk: Uint8Array) => text += chunk);
  stream.on("end", () => resolve(text));
  stream.on("error", reject);
  stream.end(bytes);
  return promise;
}

/** Returns the body of the answer to a GET with a body. */
function getWithBody(port: number, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(
    { host: "127.0.0.1", port, method: "GET", agent: false },
    (answer) => {
      let text = "";
      answer.on("data", (chunk: Uint8Array) => text += chunk);
      answer.on("end", () => resolve(text));
      answer.on("error", reject);
    },
  );
  sent.on("error", reject);
  sent.setHeader("Content-Length", body.length);
  sent.end(body);
  return promise;
}

Deno.test("Deno.serve() drops the body of a GET", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (given) => new Response(`got:${await given.text()}`),
  );
  try {
    assert.equal(await getWithBody(server.addr.port, "query"), "got:");
  } finally {
    await server.shutdown();
  }
});

Deno.test("zstd streams of node:zlib end after the first frame", async () => {
  const frames = ["one", "two"].map((text) =>
    zstdCompressSync(Buffer.from(text))
  );
  assert.equal(await inflate(Buffer.concat(frames)), "one");
});

Deno.test("zstd streams of node:zlib end without an error when the input is cut off", async () => {
  const whole = zstdCompressSync(Buffer.from("a text that is cut off"));
  assert.notEqual(
    await inflate(whole.subarray(0, whole.length - 4)),
    "a text that is cut off",
  );
});

Deno.test("DecompressionStream does not know zstd", () => {
  assert.throws(
    () => new DecompressionStream("zstd" as unknown as CompressionFormat),
    TypeError,
  );
});
