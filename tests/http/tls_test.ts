/** The HTTP server over TLS. */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { Fixture } from "./fixture.ts";

/** A certificate for localhost that nothing but this test trusts, and its key. */
const CERTIFICATE_FILE = new URL("testdata/cert.pem", import.meta.url).pathname;
const KEY_FILE = new URL("testdata/key.pem", import.meta.url).pathname;

const main = {
  "https-cert-file": CERTIFICATE_FILE,
  "https-key-file": KEY_FILE,
};

Deno.test("with a certificate the server speaks HTTPS, GET bodies included", async () => {
  const ca = await Deno.readTextFile(CERTIFICATE_FILE);
  await using door = await Fixture.start({ main });
  const text = await new Promise<string>((resolve, reject) => {
    const req = request({
      host: "localhost",
      port: door.server.port,
      method: "GET",
      path: "/api/query/",
      headers: { Authorization: "Bearer admin", "Content-Length": 15 },
      ca,
    }, (res) => {
      let received = "";
      res.on("data", (chunk: Buffer) => received += chunk.toString("utf8"));
      res.on("end", () => resolve(`${res.statusCode} ${received}`));
    });
    req.on("error", reject);
    req.end('{"cluster":"T"}');
  });
  assert.equal(text, '200 {"results":[]}\n');
  assert.equal(door.engine.queries[0]?.request.cluster, "T");
});

Deno.test("over TLS a client that sends its headers slowly is cut", async () => {
  const ca = await Deno.readTextFile(CERTIFICATE_FILE);
  await using door = await Fixture.start({
    main,
    limits: { headersMs: 50, requestMs: 100 },
  });
  const protocol = await new Promise<string | null>((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: "localhost",
      port: door.server.port,
      ca,
    }, () => {
      const version = socket.getProtocol();
      socket.on("close", () => resolve(version));
      socket.write("GET /health HTTP/1.1\r\nHost:");
    });
    socket.on("error", reject);
    socket.resume();
  });
  assert.match(protocol ?? "", /^TLSv1\.[23]$/);
});

Deno.test("a certificate that cannot be read keeps the server from starting", async () => {
  await assert.rejects(
    Fixture.start({
      main: { ...main, "https-cert-file": `${CERTIFICATE_FILE}.none` },
    }),
    /cert\.pem\.none/,
  );
});
