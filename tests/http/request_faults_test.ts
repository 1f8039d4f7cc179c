/**
 * Single requests that servers get wrong: each with the right answer, and where it
 * was reported or who sends it. One request a case, on a connection of its own.
 */
import assert from "node:assert/strict";
import { Fixture, head } from "./fixture.ts";

const MARK = "\xef\xbb\xbf";
const ADMIN = "Authorization: Bearer admin\r\n";
const CLOSE = "Connection: close\r\n";
const LINE = "m,hostname=h value=1\n";

interface Case {
  readonly name: string;
  /** Each character is a byte. */
  readonly request: string;
  /** What the answer begins with. */
  readonly status: number;
  /** What is in the answer besides. */
  readonly wanted?: RegExp;
  /** What came to the store; absent: nothing was asked of it. */
  readonly stored?: string;
}

/** A POST of a body, with its length. */
function post(path: string, body: string, more: Record<string, string> = {}) {
  return head("POST", path, {
    ...more,
    "Content-Length": body.length,
    "Connection": "close",
  }) + body;
}

function chunked(path: string, chunks: string): string {
  return head("POST", path, {
    "Transfer-Encoding": "chunked",
    "Connection": "close",
  }) + chunks;
}

const WITHOUT_HOST: Case[] = [
  ["/health", 200],
  ["/ready", 200],
  ["/metrics", 200],
  ["/", 404],
  ["/nope", 404],
  ["/api/openapi.json", 200],
  ["/api/nope", 404],
].map(([path, status]) => ({
  name: `HAProxy's httpchk and Nagios ask ${path} by HTTP/1.0 without a host`,
  request: `GET ${path} HTTP/1.0\r\n${ADMIN}\r\n`,
  status: Number(status),
}));

const ABSOLUTE: Case[] = [
  ["GET", "http://store/health", 200, /\r\n\r\nok\n$/],
  ["GET", "HTTP://store:8082/api/debug?selector=a", 200, /"selector":\["a"\]/],
  ["GET", "https://store/admin/api/v1/instances", 200, /"items"/],
  ["GET", "http://store/userapi/nope", 401, undefined],
  ["GET", "http://store", 404, undefined],
  ["GET", "http://store?a=b", 404, undefined],
  ["OPTIONS", "http://store", 200, /^Allow: .*GET/m],
].map(([method, target, status, wanted]) => ({
  name: `RFC 9112, 3.2.2: ${method} ${target} is served`,
  request:
    `${method} ${target} HTTP/1.1\r\nHost: other\r\n${ADMIN}${CLOSE}\r\n`,
  status: Number(status),
  ...(wanted instanceof RegExp ? { wanted } : {}),
}));

const TARGETS: Case[] = ["http:///api/query", "ftp://store/health", "health"]
  .map((target) => ({
    name: `a target that is no path, as ${target}, is refused`,
    request: `GET ${target} HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
    status: 400,
  }));

const CASES: Case[] = [
  ...WITHOUT_HOST,
  ...ABSOLUTE,
  ...TARGETS,
  {
    name: "an empty host is one (RFC 9112, 3.2)",
    request: `GET /health HTTP/1.1\r\nHost:\r\n${CLOSE}\r\n`,
    status: 200,
  },
  {
    name: "HTTP/1.1 without a host is refused (RFC 9112, 3.2)",
    request: `GET /health HTTP/1.1\r\n${CLOSE}\r\n`,
    status: 400,
  },
  {
    name: "two hosts are refused (RFC 9112, 3.2)",
    request: `GET /api/debug HTTP/1.1\r\nHost: a\r\nhOST: b\r\n${ADMIN}\r\n`,
    status: 400,
    wanted: /two headers Host/,
  },
  {
    name: "OPTIONS * is of the server itself (RFC 9110, 9.3.7)",
    request: `OPTIONS * HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
    status: 200,
    wanted: /^Allow: HEAD, GET, POST, .*OPTIONS\r$/m,
  },
  {
    name: "* is for OPTIONS alone",
    request: `GET * HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
    status: 400,
  },
  {
    name: "a body by HTTP/1.0 needs its length (RFC 1945, 8.3)",
    request: `POST /api/write HTTP/1.0\r\n${ADMIN}\r\n`,
    status: 411,
    wanted: /Content-Length/,
  },
  {
    name: "and is stored with one",
    request:
      `POST /api/write HTTP/1.0\r\n${ADMIN}Content-Length: ${LINE.length}\r\n\r\n${LINE}`,
    status: 200,
    stored: LINE,
  },
  {
    name: "PowerShell and editors of Windows put a mark before lines",
    request: post("/api/write", MARK + LINE),
    status: 200,
    stored: LINE,
  },
  {
    name: "before chunked lines, cut in the middle of the mark",
    request: chunked(
      "/api/write",
      `2\r\n\xef\xbb\r\n1\r\n\xbf\r\n${
        LINE.length.toString(16)
      }\r\n${LINE}\r\n0\r\n\r\n`,
    ),
    status: 200,
    stored: LINE,
  },
  {
    name: "before the JSON of a question",
    request: post(
      "/api/query",
      MARK + '{"cluster":"T","from":0,"to":1,"queries":[]}',
    ),
    status: 200,
  },
  {
    name: "before the JSON of the admin API",
    request: post("/admin/api/v1/tokens", MARK + '{"name":"ab"}'),
    status: 400,
    wanted: /name: expected 3 to 64 characters/,
  },
  {
    name: "a body that is a mark alone is empty",
    request: post("/api/query", MARK),
    status: 400,
    wanted: /EOF/,
  },
  {
    name: "extensions of chunks count as sent (the class of CVE-2024-22019)",
    request: chunked(
      "/api/write",
      `1;${"x".repeat(1_200_000)}\r\nm\r\n0\r\n\r\n`,
    ),
    status: 413,
  },
  {
    name: "and without a chunk that ends",
    request: chunked("/api/query", `1;${"x".repeat(1_200_000)}`),
    status: 413,
  },
  {
    name: "short ones are passed over (RFC 9112, 7.1.1)",
    request: chunked(
      "/api/write",
      `${LINE.length.toString(16)};a=b\r\n${LINE}\r\n0;c="d"\r\n\r\n`,
    ),
    status: 200,
    stored: LINE,
  },
  {
    name: "a preflight of another site offers what is taken from there",
    request: head("OPTIONS", "/api/query", {
      "Origin": "http://other.example",
      "Access-Control-Request-Method": "POST",
      "Sec-Fetch-Site": "cross-site",
      "Connection": "close",
    }),
    status: 204,
    wanted: /^Access-Control-Allow-Methods: GET, HEAD\r$/m,
  },
];

for (const { name, request, status, wanted, stored } of CASES) {
  Deno.test(`one request: ${name}`, async () => {
    await using door = await Fixture.start({ limits: { lingerMs: 50 } });
    const client = door.raw();
    client.write(Uint8Array.from(request, (char) => char.charCodeAt(0)));
    const received = await client.closed();
    assert.match(received, new RegExp(`^HTTP/1.1 ${status} `));
    if (wanted !== undefined) assert.match(received, wanted);
    const texts = door.engine.batches
      .filter(({ state }) => state === "ended").map(({ text }) => text);
    assert.deepEqual(texts, stored === undefined ? [] : [stored]);
    assert.deepEqual(door.errors, []);
  });
}
