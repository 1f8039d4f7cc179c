import assert from "node:assert/strict";
import { AddressSet, cameSecurely, clientAddress } from "./client_address.ts";

const PROXIES = new AddressSet(["127.0.0.0/8", "::1", "10.1.0.0/16"]);

function request(
  remoteAddress: string,
  headers: Record<string, string> = {},
  more: Record<string, unknown> = {},
) {
  return {
    socket: { remoteAddress, ...more },
    headers,
  } as unknown as Parameters<typeof clientAddress>[0];
}

Deno.test("clientAddress() believes forwarding headers of trusted proxies alone", () => {
  const cases: [string, Record<string, string>, string][] = [
    ["192.0.2.7", {}, "192.0.2.7"],
    ["192.0.2.7", { "x-forwarded-for": "10.0.0.1" }, "192.0.2.7"],
    ["192.0.2.7", { "x-real-ip": "10.0.0.1" }, "192.0.2.7"],
    ["127.0.0.1", { "x-real-ip": "198.51.100.1" }, "198.51.100.1"],
    ["::ffff:127.0.0.1", { "x-real-ip": "198.51.100.1:80" }, "198.51.100.1"],
    [
      "127.0.0.1",
      { "x-forwarded-for": "6.6.6.6, 198.51.100.1" },
      "198.51.100.1",
    ],
    [
      "127.0.0.1",
      { "x-forwarded-for": "198.51.100.1, 10.1.2.3" },
      "198.51.100.1",
    ],
    ["127.0.0.1", { "x-forwarded-for": "[2001:db8::1]:443" }, "2001:db8::1"],
    ["127.0.0.1", { "x-forwarded-for": "10.1.0.9" }, "10.1.0.9"],
    ["127.0.0.1", { "x-forwarded-for": "198.51.100.1, rubbish" }, "127.0.0.1"],
    ["127.0.0.1", {}, "127.0.0.1"],
  ];
  for (const [remote, headers, expected] of cases) {
    assert.equal(
      clientAddress(request(remote, headers), PROXIES),
      expected,
      JSON.stringify([remote, headers]),
    );
  }
});

Deno.test("cameSecurely() looks at the socket, and at what a trusted proxy says", () => {
  const forwarded = { "x-forwarded-proto": "https" };
  assert.ok(!cameSecurely(request("127.0.0.1"), PROXIES));
  assert.ok(cameSecurely(request("127.0.0.1", forwarded), PROXIES));
  assert.ok(!cameSecurely(request("192.0.2.7", forwarded), PROXIES));
  // A proxy that adds its word to what the client sent.
  const words: [string, boolean][] = [
    ["https, http", false],
    ["http,https", true],
    ["http, HTTPS ", true],
    ["https,", false],
    ["", false],
  ];
  for (const [word, wanted] of words) {
    const headers = { "x-forwarded-proto": word };
    const secure = cameSecurely(request("127.0.0.1", headers), PROXIES);
    assert.equal(secure, wanted, word);
  }
  assert.ok(
    cameSecurely(request("192.0.2.7", {}, { encrypted: true }), PROXIES),
  );
});

Deno.test("AddressSet knows addresses and networks of both kinds, and refuses others", () => {
  const set = new AddressSet(["192.0.2.1", "198.51.100.0/24", "2001:db8::/32"]);
  // Asked again it answers from memory.
  for (let i = 0; i < 2; i++) {
    for (const address of ["192.0.2.1", "198.51.100.200", "2001:db8::5"]) {
      assert.ok(set.has(address), address);
    }
    for (
      const address of ["192.0.2.2", "198.51.101.1", "2001:db9::1", "", "x"]
    ) {
      assert.ok(!set.has(address), address);
    }
  }
  for (
    const entry of ["", "host", "1.2.3.4/33", "::/129", "1.2.3.4/x", "1.2.3"]
  ) {
    assert.throws(() => new AddressSet([entry]), /neither an address nor/);
  }
});
