/** Page paths, their files and the sign-in (web 2, web 6, web 15.2, web 15.7). */
import assert from "node:assert/strict";
import { noPages, SCRIPT, STYLE, WebServer } from "./web_server.ts";

const BROWSER = { "Accept": "text/html,*/*;q=0.8" };

Deno.test("a page is one constant text, for who is logged in", async () => {
  await using server = await WebServer.start();
  const texts = new Set<string>();
  for (const who of ["eve", "max", "sue", "root"]) {
    for (const path of ["/", "/monitoring/jobs/", "/monitoring/job/1"]) {
      const answer = await server.api.expect(200, "GET", path, {
        as: `session:${who}`,
        headers: BROWSER,
      });
      texts.add(answer.text);
      assert.equal(answer.headers["content-type"], "text/html; charset=utf-8");
    }
  }
  assert.equal(texts.size, 1);
  const [text = ""] = texts;
  assert.match(text, new RegExp(`src="/web/assets/${SCRIPT}"`));
  assert.match(text, new RegExp(`href="/web/assets/${STYLE}"`));
  assert.doesNotMatch(text, /<script>|<style|style=|eve/);
});

Deno.test("pages forbid scripts of others, inline ones and HTML from texts", async () => {
  await using server = await WebServer.start();
  const { headers } = await server.api.expect(200, "GET", "/monitoring/jobs/", {
    as: "session:eve",
  });
  const policy = String(headers["content-security-policy"]).split("; ");
  for (
    const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]
  ) assert.ok(policy.includes(rule), rule);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["referrer-policy"], "same-origin");
  assert.equal(headers["cross-origin-opener-policy"], "same-origin");
  assert.equal(headers["cross-origin-resource-policy"], "same-origin");
});

Deno.test("browsers complain of COOP on plain HTTP elsewhere, so it is not sent", async () => {
  await using server = await WebServer.start();
  const { headers } = await server.api.expect(200, "GET", "/login", {
    as: null,
    headers: { "Host": "metrics.example.org" },
  });
  assert.equal(headers["cross-origin-opener-policy"], undefined);
});

Deno.test("without a login a page leads to the sign-in and back", async () => {
  await using server = await WebServer.start();
  const path = "/monitoring/jobs/?user=eve&state=running";
  const answer = await server.api.expect(302, "GET", path, { as: null });
  const target = new URL(String(answer.headers["location"]), "http://x");
  assert.equal(target.pathname, "/login");
  assert.equal(target.searchParams.get("redirect"), path);
  const form = await server.api.expect(
    200,
    "GET",
    target.pathname + target.search,
    { as: null },
  );
  assert.match(
    form.text,
    /name="redirect" value="\/monitoring\/jobs\/\?user=eve&amp;state=running"/,
  );
});

Deno.test("a program's role has no page, and a token opens none", async () => {
  await using server = await WebServer.start();
  const refused = await server.api.expect(403, "GET", "/", {
    as: "session:bot",
    headers: BROWSER,
  });
  assert.match(refused.text, /the role api is for programs/);
  await server.api.expect(403, "GET", "/monitoring/jobs/", {
    as: "session:nil",
  });
  await server.api.expect(302, "GET", "/monitoring/jobs/", { as: "admin" });
});

Deno.test("unknown paths below /monitoring are the page with 404", async () => {
  await using server = await WebServer.start();
  for (
    const path of [
      "/monitoring/nowhere",
      "/monitoring/job/x",
      "/monitoring/job/1/2",
      "/monitoring/",
      "/monitoring/user/%ff",
    ]
  ) {
    const answer = await server.api.expect(404, "GET", path, {
      as: "session:eve",
    });
    assert.match(answer.text, /id="app"/, path);
  }
});

Deno.test("paths of pages that are not there yet lead to the list of jobs", async () => {
  await using server = await WebServer.start();
  const jobs = "/monitoring/jobs/";
  const cases: [string, string][] = [
    ["/monitoring/users/", jobs],
    ["/monitoring/tags/", jobs],
    ["/monitoring/user/e%20ve", `${jobs}?user=e+ve&userMatch=eq`],
    [
      "/monitoring/user/eve?cluster=fritz&user=x",
      `${jobs}?user=eve&userMatch=eq&cluster=fritz`,
    ],
    ["/monitoring/project/p1", `${jobs}?project=p1&projectMatch=eq`],
    ["/monitoring/systems/fritz", `${jobs}?cluster=fritz&state=running`],
    [
      "/monitoring/systems/list/fritz/main",
      `${jobs}?cluster=fritz&subCluster=main&state=running`,
    ],
    ["/monitoring/status/detail/fritz", `${jobs}?cluster=fritz&state=running`],
    [
      "/monitoring/node/fritz/f0101?from=1&to=2",
      `${jobs}?cluster=fritz&node=f0101`,
    ],
    ["/monitoring/analysis/fritz", `${jobs}?cluster=fritz`],
    ["/config", "/monitoring/settings"],
    ["/config/", "/monitoring/settings"],
    ["/search?searchId=jobId:4711", `${jobs}?jobId=4711`],
    ["/search?searchId=4711", `${jobs}?jobId=4711`],
    ["/search?searchId=solver", `${jobs}?jobName=solver`],
    ["/search?searchId=jobName:a%26b", `${jobs}?jobName=a%26b`],
    [
      "/search?searchId=projectId:p1",
      `${jobs}?project=p1&projectMatch=contains`,
    ],
    ["/search?searchId=arrayJobId:7", `${jobs}?arrayJobId=7`],
    ["/search?searchId=username:eve", `${jobs}?user=eve&userMatch=contains`],
    ["/search", jobs],
  ];
  for (const [path, target] of cases) {
    const { headers } = await server.api.expect(302, "GET", path, {
      as: "session:sue",
    });
    assert.equal(headers["location"], target, path);
  }
});

Deno.test("files of the pages are public, compressed and never change", async () => {
  await using server = await WebServer.start();
  const path = `/web/assets/${SCRIPT}`;
  for (
    const [accepted, coding, text] of [
      ["gzip, deflate, br", "br", "brotli"],
      ["gzip", "gzip", "gzip"],
      ["br;q=0, gzip;q=0", undefined, "let plain=1;"],
    ] as const
  ) {
    const answer = await server.api.expect(200, "GET", path, {
      as: null,
      headers: { "Accept-Encoding": accepted },
    });
    assert.equal(answer.headers["content-encoding"], coding);
    assert.equal(answer.text, text);
    assert.equal(
      answer.headers["content-type"],
      "text/javascript; charset=utf-8",
    );
    assert.equal(
      answer.headers["cache-control"],
      "public, max-age=31536000, immutable",
    );
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
  }
  const head = await server.api.expect(200, "HEAD", path, { as: null });
  assert.equal(head.text, "");
  for (
    const gone of [
      "main-old.js",
      "manifest.json",
      "..%2fmanifest.json",
      "__proto__",
    ]
  ) {
    await server.api.expect(404, "GET", `/web/assets/${gone}`, { as: null });
  }
});

Deno.test("links from mails work, whatever page they are on", async () => {
  await using server = await WebServer.start();
  await server.api.expect(200, "GET", "/monitoring/job/1", {
    as: "session:eve",
    headers: { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" },
  });
});

Deno.test("where nothing was built the pages name the task", async () => {
  await using server = await WebServer.start({ pages: await noPages() });
  const home = await server.api.expect(200, "GET", "/", {
    as: null,
    headers: BROWSER,
  });
  assert.match(home.text, /deno task web/);
  const page = await server.api.expect(503, "GET", "/monitoring/jobs/", {
    as: "session:eve",
  });
  assert.match(page.text, /deno task web/);
  await server.api.expect(200, "GET", "/web/api/session", {
    as: "session:eve",
  });
});

Deno.test("web.enabled false: nothing of it is there", async () => {
  await using server = await WebServer.start({ web: { enabled: false } });
  const home = await server.api.expect(200, "GET", "/", {
    as: null,
    headers: BROWSER,
  });
  assert.match(home.text, /API document/);
  assert.doesNotMatch(home.text, /deno task web/);
  for (
    const path of [
      "/monitoring/jobs/",
      "/search?searchId=1",
      `/web/assets/${SCRIPT}`,
      "/web/api/session",
    ]
  ) await server.api.expect(404, "GET", path, { as: "session:root" });
});

Deno.test("GET / of a program that names no page stays 404", async () => {
  await using server = await WebServer.start();
  await server.api.expect(404, "GET", "/", { as: "session:eve" });
});

Deno.test("without a user the sign-in says how the first one is made", async () => {
  await using server = await WebServer.start({ users: [] });
  const page = await server.api.expect(200, "GET", "/login", { as: null });
  assert.match(page.text, /task start user add NAME --roles admin/);
  assert.match(page.text, /<meta http-equiv="refresh" content="2">/);
  assert.doesNotMatch(page.text, /<form|<script/);
});

Deno.test("the sign-in has the looks of the pages and needs no script", async () => {
  await using server = await WebServer.start();
  const { text, headers } = await server.api.expect(200, "GET", "/login", {
    as: null,
  });
  assert.match(
    text,
    new RegExp(`<link rel="stylesheet" href="/web/assets/${STYLE}">`),
  );
  assert.match(text, /<form method="post" action="\/login">/);
  assert.doesNotMatch(text, /<script/);
  assert.match(String(headers["content-security-policy"]), /style-src 'self'/);
  assert.match(
    String(headers["content-security-policy"]),
    /default-src 'none'/,
  );
});
