/**
 * A full disk, for real: the log lies on a file system of a few megabytes. Where
 * mounting one is not permitted, the test says so and does nothing.
 */
import assert from "node:assert/strict";
import { printLine } from "../src/app/cli/output.ts";
import { nowSec } from "../src/base/clock.ts";
import { readSeries } from "./crash/answers.ts";
import { DurableServer } from "./crash/durable_server.ts";

const SETTINGS = {
  metrics: { load: { frequency: 1, aggregation: null } },
} as const;
const DISK_BYTES = 4 << 20;
const BATCH = 2000;
const START_SEC = nowSec() - 40 * 3600;

/** Runs a program; resolves to what it complained about, empty if it went well. */
async function run(command: string, args: string[]): Promise<string> {
  const { success, stderr } = await new Deno.Command(command, { args })
    .output();
  return success ? "" : new TextDecoder().decode(stderr).trim();
}

/** Runs `test` with a server, not started yet, whose files lie on a small disk. */
async function onSmallDisk(
  test: (server: DurableServer) => Promise<void>,
): Promise<void> {
  await using server = await DurableServer.create();
  const { checkpoints } = server;
  Deno.mkdirSync(checkpoints);
  const size = `size=${DISK_BYTES}`;
  const refusal = await run(
    "mount",
    ["-t", "tmpfs", "-o", size, "tmpfs", checkpoints],
  );
  if (refusal !== "") {
    return printLine(`not tested, no disk can be mounted: ${refusal}`);
  }
  try {
    await test(server);
  } finally {
    await server.end();
    assert.equal(await run("umount", [checkpoints]), "");
  }
}

/** Takes all the room there is. */
function fillDisk(path: string): void {
  using file = Deno.openSync(path, { append: true, create: true });
  const block = new Uint8Array(4096);
  try {
    for (;;) file.writeSync(block);
  } catch (error) {
    assert.match(String(error), /No space left/);
  }
}

/** Samples `first` to `first + BATCH` of one host. */
function lines(first: number): string {
  return Array.from(
    { length: BATCH },
    (_, i) =>
      `load,cluster=c,hostname=h value=${(first + i) / 3} ${
        START_SEC + first + i
      }`,
  ).join("\n");
}

function valuesUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i / 3);
}

async function readAll(server: DurableServer) {
  return await readSeries(server, {
    cluster: "c",
    host: "h",
    metric: "load",
    from: START_SEC,
    to: START_SEC + 200_000,
  });
}

Deno.test("a full disk refuses writes, not reads, and writing resumes by itself", async () => {
  await onSmallDisk(async (server) => {
    const ballast = `${server.checkpoints}/ballast`;
    Deno.writeFileSync(ballast, new Uint8Array(DISK_BYTES / 2));
    await server.start(SETTINGS);
    let stored = 0;
    let answer = await server.client.write(lines(0));
    while (answer.status === 200) {
      stored += BATCH;
      assert.ok(stored < 1e6, "the disk never fills up");
      answer = await server.client.write(lines(stored));
    }
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.text, /the log cannot be written: No space left/);
    assert.ok(Number(answer.headers["retry-after"]) > 0);
    // What was refused may be seen, what was taken must be.
    const during = await readAll(server);
    assert.deepEqual(during?.data.slice(0, stored), valuesUpTo(stored));
    assert.equal((await server.client.write(lines(stored))).status, 503);

    Deno.removeSync(ballast);
    answer = await server.client.write(lines(stored));
    assert.deepEqual([answer.status, answer.text], [200, ""]);
    stored += BATCH;
    // The line comes by a pipe of its own, later than the answer at times.
    await server.child.until(
      "a word that the log can be written",
      10_000,
      () =>
        server.child.output.includes("the log can be written again") ||
        undefined,
    );
    await server.kill();
    await server.start(SETTINGS);
    assert.deepEqual((await readAll(server))?.data, valuesUpTo(stored));
    assert.equal((await server.stop()).code, 0);
  });
});

Deno.test("a server that stops while the disk is full ends well and keeps what it said it has", async () => {
  await onSmallDisk(async (server) => {
    const ballast = `${server.checkpoints}/ballast`;
    await server.start({
      ...SETTINGS,
      store: { "checkpoint-interval": "1s" },
      checkpoints: { "max-wal-size": 1 },
    });
    let stored = 0;
    while ((await server.client.write(lines(stored))).status === 200) {
      stored += BATCH;
      // From here on neither the log nor a snapshot has room.
      if (stored === 10 * BATCH) fillDisk(ballast);
    }
    const { code, output } = await server.stop();
    assert.equal(code, 0, output);
    Deno.removeSync(ballast);
    await server.start(SETTINGS);
    const after = await readAll(server);
    assert.deepEqual(after?.data.slice(0, stored), valuesUpTo(stored));
  });
});
