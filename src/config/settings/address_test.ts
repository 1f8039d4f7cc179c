import assert from "node:assert/strict";
import { isLoopback, parseAddress } from "./address.ts";

Deno.test("parseAddress() reads host and port", () => {
  assert.deepEqual(parseAddress("localhost:8082"), {
    host: "localhost",
    port: 8082,
  });
  assert.deepEqual(parseAddress(":0"), { host: "0.0.0.0", port: 0 });
  assert.deepEqual(parseAddress("[::1]:65535"), { host: "::1", port: 65535 });
});

Deno.test("parseAddress() refuses what is no address", () => {
  for (
    const text of [
      "",
      "8082",
      "localhost",
      "localhost:",
      "a:65536",
      "a:-1",
      "::1:80",
      "[a b]:1",
      "http://a:1",
      "a b:1",
    ]
  ) assert.equal(parseAddress(text), undefined, text);
});

Deno.test("isLoopback() knows the addresses of this machine alone", () => {
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.example.org"]) {
    assert.ok(!isLoopback(host), host);
  }
});
