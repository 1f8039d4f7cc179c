/** The contract of `/api/free` and `/api/debug`. */
import assert from "node:assert/strict";
import { Fixture } from "./fixture.ts";

Deno.test("free answers as text how many buffers went", async () => {
  await using door = await Fixture.start();
  const answer = await door.ask("POST", "/api/free/?to=1240", {
    body: '[["T","h1"],["T2"]]',
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, "buffers freed: 2\n");
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
  const none = await door.ask("POST", "/api/free?to=-5", { body: "null" });
  assert.equal(none.text, "buffers freed: 0\n");
  assert.deepEqual(door.engine.freed, [
    { selectors: [["T", "h1"], ["T2"]], toSec: 1240 },
    { selectors: [], toSec: -5 },
  ]);
});

Deno.test("free answers 400 for a wrong time or body", async () => {
  await using door = await Fixture.start();
  const cases: [string, string | undefined, RegExp][] = [
    ["", "[]", /'to' is a required query parameter/],
    ["", undefined, /'to' is a required query parameter/],
    ["?to=x", "[]", /to: .*"x/],
    ["?to=1.5", "[]", /to: /],
    ["?to=99999999999999999999", "[]", /to: /],
    ["?to=1", undefined, /EOF/],
    ["?to=1", '{"a":1}', /the body/],
    ["?to=1", '[["a",1]]', /selectors\[0\]\[1\]/],
    ["?to=1", "[null]", /0/],
  ];
  for (const [search, body, wanted] of cases) {
    const answer = await door.ask(
      "POST",
      `/api/free${search}`,
      body === undefined ? {} : { body },
    );
    assert.equal(answer.status, 400, `${search} ${body}`);
    assert.match(JSON.parse(answer.text).error, wanted);
  }
  assert.equal(door.engine.freed.length, 0);
});

Deno.test("debug splits the selector at colons", async () => {
  await using door = await Fixture.start();
  const all = await door.ask("GET", "/api/debug");
  assert.deepEqual(JSON.parse(all.text), { data: { selector: [] } });
  const some = await door.ask("GET", "/api/debug/?selector=a:b%20c");
  assert.deepEqual(JSON.parse(some.text), { data: { selector: ["a", "b c"] } });
  assert.equal((await door.ask("GET", "/api/debug?selector=nope")).status, 400);
  const head = await door.ask("HEAD", "/api/debug");
  assert.equal(head.status, 200);
  assert.equal(head.text, "");
  assert.equal(head.headers["content-length"], String(all.text.length));
});
