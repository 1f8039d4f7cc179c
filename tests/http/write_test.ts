/** The contract of `/api/write`. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { DEFAULT_SCOPE } from "../../src/metricstore/engine/data_scope.ts";
import { ALL_STORED } from "./fake_engine.ts";
import { Fixture, head } from "./fixture.ts";

const LINE = "m60,cluster=T,hostname=h1 value=1 1800000000\n";

Deno.test("write answers 200 with an explicit length of 0 and hands over the body", async () => {
  await using door = await Fixture.start();
  for (
    const path of [
      "/api/write",
      "/api/write/",
      "/api/write/x",
      "/metricstore/write/",
    ]
  ) {
    const answer = await door.ask("POST", path, { body: LINE });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
    assert.equal(answer.headers["content-length"], "0");
    assert.equal(answer.headers["transfer-encoding"], undefined);
    assert.equal(answer.headers["content-type"], "application/json");
  }
  assert.deepEqual(door.engine.batches.map((batch) => batch.text), [
    LINE,
    LINE,
    LINE,
    LINE,
  ]);
});

Deno.test("write decodes the default cluster", async () => {
  await using door = await Fixture.start();
  await door.ask("POST", "/api/write/?cluster=a%20b&cluster=c", { body: LINE });
  await door.ask("POST", "/api/write", {
    body: LINE,
    headers: { "X-Scope-OrgID": "tenant-a" },
  });
  const [plain, tenant] = door.engine.batches.map((batch) => batch.options);
  assert.deepEqual(plain, {
    ...{ scope: DEFAULT_SCOPE, defaultCluster: "a b" },
    mayBeGivenUp: true,
  });
  assert.equal(tenant?.scope.instance, "tenant-a");
  assert.equal(tenant?.defaultCluster, "T");
});

Deno.test("write accepts GET with a body and refuses it without, naming POST", async () => {
  await using door = await Fixture.start();
  assert.equal(
    (await door.ask("GET", "/api/write", { body: LINE })).status,
    200,
  );
  const refused = await door.ask("GET", "/api/write");
  assert.equal(refused.status, 405);
  assert.equal(refused.headers["allow"], "POST");
  assert.match(refused.text, /POST/);
});

Deno.test("write accepts an empty body", async () => {
  await using door = await Fixture.start();
  const answer = await door.ask("POST", "/api/write", { body: "" });
  assert.equal(answer.status, 200);
  assert.equal(door.engine.batches.length, 0);
});

Deno.test("write answers 400 with the counts and the first errors", async () => {
  await using door = await Fixture.start();
  door.engine.report = {
    lines: 3,
    stored: 2,
    rejected: { value: 1 },
    skipped: { "too-old": 3, "unknown-metric": 1 },
    errors: [{ line: 2, reason: "value", message: "at line 2: not a number" }],
    unknown: [{ cluster: "emmy", lines: 1, metrics: ["a b,ü", "x"] }, {
      cluster: "",
      lines: 1,
      metrics: ["1", "2", "3", "4"],
    }],
  };
  const answer = await door.ask("POST", "/api/write", { body: LINE });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers["x-skipped"], "too-old=3, unknown-metric=1");
  // Names as they fit into a header, the first five.
  assert.equal(
    answer.headers["x-skipped-names"],
    "unknown-metric=emmy/a%20b%2C%C3%BC, unknown-metric=emmy/x, " +
      "unknown-metric=/1, unknown-metric=/2, unknown-metric=/3",
  );
  assert.ok(answer.text.endsWith("}\n"));
  assert.deepEqual(JSON.parse(answer.text), {
    status: "Bad Request",
    error: "at line 2: not a number; 1 of 3 lines rejected",
    stored: 2,
    rejected: { value: 1 },
    skipped: { "too-old": 3, "unknown-metric": 1 },
    errors: [{ line: 2, reason: "value", message: "at line 2: not a number" }],
  });
});

Deno.test("write answers 403 before 429 before 400", async () => {
  await using door = await Fixture.start();
  const status = async (rejected: Record<string, number>) => {
    door.engine.report = { ...ALL_STORED, rejected };
    const answer = await door.ask("POST", "/api/write", { body: LINE });
    return [answer.status, answer.headers["retry-after"]];
  };
  assert.deepEqual(await status({ syntax: 1, rate: 1, forbidden: 1 }), [
    403,
    undefined,
  ]);
  assert.deepEqual(await status({ "memory-cap": 1, forbidden: 1 }), [
    403,
    undefined,
  ]);
  assert.deepEqual(await status({ syntax: 1, rate: 1 }), [429, "1"]);
  assert.deepEqual(await status({ syntax: 1, "memory-cap": 1 }), [429, "1"]);
  assert.deepEqual(await status({ syntax: 1, "instance-series": 1 }), [
    429,
    "1",
  ]);
  assert.deepEqual(await status({ forbidden: 0, rate: 0, "max-series": 1 }), [
    400,
    undefined,
  ]);
  assert.deepEqual(await status({ syntax: 1 }), [400, undefined]);
  assert.deepEqual(await status({ syntax: 0 }), [200, undefined]);
});

Deno.test("write takes gzip and zstd, and refuses other codings", async () => {
  await using door = await Fixture.start();
  const text = LINE.repeat(5000);
  const codings: [string, Uint8Array][] = [
    ["gzip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["identity", Buffer.from(text)],
  ];
  for (const [coding, body] of codings) {
    const answer = await door.ask("POST", "/api/write", {
      body,
      headers: { "Content-Encoding": coding },
    });
    assert.equal(answer.status, 200, coding);
    assert.equal(door.engine.batches.at(-1)?.text.trimEnd(), text.trimEnd());
  }
  const refused = await door.ask("POST", "/api/write", {
    body: LINE,
    headers: { "Content-Encoding": "br" },
  });
  assert.equal(refused.status, 415);
  assert.match(refused.text, /Content-Encoding.*"br/);
});

Deno.test("write takes zstd of any size, also in several frames", async () => {
  await using door = await Fixture.start();
  for (const count of [1500, 3000, 20_000]) {
    const text = Array.from(
      { length: count },
      (_, i) => `m60,cluster=T,hostname=h${i} value=${i * 7919 % 1000}\n`,
    ).join("");
    const frame = zstdCompressSync(text);
    for (const frames of [1, 2]) {
      const answer = await door.ask("POST", "/api/write", {
        body: Buffer.concat(new Array(frames).fill(frame)),
        headers: { "Content-Encoding": "zstd" },
      });
      assert.equal(answer.status, 200, `${count} lines, ${frames} frames`);
      const batch = door.engine.batches.at(-1);
      assert.equal(batch?.bytes, frames * text.length);
      assert.ok(text.repeat(frames).startsWith(batch?.text ?? "?"));
    }
  }
});

Deno.test("write outlives zstd that is damaged far behind its beginning", async () => {
  await using door = await Fixture.start();
  const body = zstdCompressSync(LINE.repeat(20_000), {
    params: { [constants.ZSTD_c_checksumFlag]: 1 },
  });
  body[body.length - 1]! ^= 1;
  const answer = await door.ask("POST", "/api/write", {
    body,
    headers: { "Content-Encoding": "zstd" },
  });
  assert.equal(answer.status, 400);
  assert.match(answer.text, /not valid zstd/);
  assert.equal((await door.ask("GET", "/health")).status, 200);
});

Deno.test("write drops the torn line of a compressed body that was cut off", async () => {
  await using door = await Fixture.start();
  const text = Array.from(
    { length: 3000 },
    (_, index) =>
      `m60,cluster=T,hostname=h${index} value=${index * 7919 % 1000}\n`,
  ).join("");
  const bodies: [string, Uint8Array][] = [
    ["gzip", gzipSync(text)],
    ["zstd", zstdCompressSync(text)],
  ];
  for (const [coding, whole] of bodies) {
    for (
      const cut of [whole.length - 1, whole.length - 9, whole.length >> 1, 3]
    ) {
      const answer = await door.ask("POST", "/api/write", {
        body: whole.subarray(0, cut),
        headers: { "Content-Encoding": coding },
      });
      assert.equal(answer.status, 400, `${coding} cut at ${cut}`);
      assert.match(answer.text, new RegExp(`not valid ${coding}`));
    }
  }
  assert.ok(door.engine.batches.every((batch) => batch.state === "aborted"));
});

Deno.test("write refuses a body that is too large at once, or as it grows", async () => {
  await using door = await Fixture.start({ main: { "max-body-size": 1000 } });
  const declared = await door.ask("POST", "/api/write", {
    body: LINE.repeat(100),
  });
  assert.equal(declared.status, 413);
  assert.equal(door.engine.batches.length, 0);
  const client = door.raw();
  client.write(head("POST", "/api/write", { "Transfer-Encoding": "chunked" }));
  client.write(`7d0\r\n${"x".repeat(2000)}\r\n0\r\n\r\n`);
  assert.match(await client.until("max-body-size"), /^HTTP\/1.1 413/);
  client.close();
  assert.deepEqual(door.engine.batches.map((batch) => batch.state), []);
});

Deno.test("write bounds what a body inflates to", async () => {
  await using door = await Fixture.start({
    main: { "max-inflated-size": 1 << 20 },
  });
  const bomb = Buffer.alloc(64 << 20, "x");
  for (
    const [coding, body] of [["gzip", gzipSync(bomb)], [
      "zstd",
      zstdCompressSync(bomb),
    ]] as const
  ) {
    const answer = await door.ask("POST", "/api/write", {
      body,
      headers: { "Content-Encoding": coding },
    });
    assert.equal(answer.status, 413, coding);
    const batch = door.engine.batches.at(-1);
    assert.equal(batch?.state, "aborted");
    assert.ok((batch?.bytes ?? Infinity) <= 1 << 20);
  }
});

Deno.test("write aborts the batch when the upload breaks off", async () => {
  await using door = await Fixture.start();
  const client = door.raw();
  client.write(head("POST", "/api/write", { "Content-Length": 1000 }) + LINE);
  await door.engine.batchIs("open");
  client.close();
  const batch = await door.engine.batchIs("aborted");
  assert.equal(batch.text, LINE);
});

Deno.test("write stops reading while the engine is full, and goes on after it", async () => {
  await using door = await Fixture.start();
  let release = () => {};
  let pushes = 0;
  door.engine.pushWait = () => {
    pushes++;
    return pushes > 1 ? undefined : new Promise((resolve) => release = resolve);
  };
  const answer = door.ask("POST", "/api/write", { body: "x".repeat(900_000) });
  await door.engine.batchIs("open");
  const other = door.raw();
  other.write(head("GET", "/health"));
  await other.until("ok\n");
  other.close();
  assert.equal(pushes, 1);
  release();
  assert.equal((await answer).status, 200);
  assert.equal(door.engine.batches[0]?.bytes, 900_000);
});

Deno.test("write answers 503 when the engine stays full", async () => {
  await using door = await Fixture.start({ limits: { overloadWaitMs: 30 } });
  door.engine.pushWait = () => new Promise(() => {});
  const answer = await door.ask("POST", "/api/write", { body: LINE });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers["retry-after"], "1");
  assert.equal(door.engine.batches[0]?.state, "aborted");
});

Deno.test("write waits for room in flight, then is refused with 503", async () => {
  await using door = await Fixture.start({
    main: { "max-in-flight": 100_000 },
    limits: { overloadWaitMs: 50 },
  });
  let finish: (report: typeof ALL_STORED) => void = () => {};
  door.engine.report = new Promise((resolve) => finish = resolve);
  const first = door.raw();
  first.write(
    head("POST", "/api/write", { "Content-Length": 90_000 }) +
      "x".repeat(90_000),
  );
  await door.engine.batchIs("ended");
  const second = await door.ask("POST", "/api/write", {
    body: "y".repeat(20_000),
  });
  assert.equal(second.status, 503);
  assert.equal(second.headers["retry-after"], "1");
  assert.equal(door.engine.batches.length, 1);
  const third = door.ask("POST", "/api/write", { body: "z".repeat(20_000) });
  finish(ALL_STORED);
  assert.equal((await third).status, 200);
  await first.until("200 OK");
  first.close();
});

Deno.test("write is served while stored samples are restored, but not once stopping", async () => {
  await using door = await Fixture.start();
  door.engine.state = "restoring";
  assert.equal(
    (await door.ask("POST", "/api/write", { body: LINE })).status,
    200,
  );
  door.engine.state = "stopping";
  assert.equal(
    (await door.ask("POST", "/api/write", { body: LINE })).status,
    503,
  );
});

Deno.test("write answers 500 without internals when the engine fails unexpectedly", async () => {
  await using door = await Fixture.start();
  door.engine.failure = new TypeError("secret detail");
  const answer = await door.ask("POST", "/api/write", { body: LINE });
  assert.equal(answer.status, 500);
  assert.deepEqual(JSON.parse(answer.text), {
    status: "Internal Server Error",
    error: "internal error",
  });
  assert.equal(door.errors.length, 1);
});

Deno.test("refused writes are told in the log, a few of each kind, with who and why", async () => {
  await using door = await Fixture.start();
  door.engine.report = {
    ...ALL_STORED,
    rejected: { "no-hostname": 2 },
    errors: [{
      line: 1,
      reason: "no-hostname",
      message: "at line 1: tag hostname is missing",
    }],
  };
  for (let i = 0; i < 20; i++) {
    await door.ask("POST", "/api/write?cluster=emmy", { body: LINE });
  }
  await door.ask("POST", "/api/write?cluster=emmy", {
    body: LINE,
    role: "user",
  });
  const told = door.warnings.map((line) => JSON.parse(line));
  assert.equal(told.length, 6);
  assert.deepEqual(told[0], {
    message: "lines were refused",
    route: "write",
    cluster: "emmy",
    who: "test",
    from: "127.0.0.1",
    status: 400,
    lines: 1,
    rejected: { "no-hostname": 2 },
    reason: "at line 1: tag hostname is missing",
  });
  const { reason, ...refused } = told[5];
  assert.match(reason, /role/);
  assert.deepEqual(refused, {
    message: "a machine's request was refused",
    route: "write",
    cluster: "emmy",
    who: "test",
    from: "127.0.0.1",
    status: 403,
  });
});
