/**
 * Starting over files that are damaged, foreign, or on a disk that is full: the
 * server always starts, says what it met, and keeps everything else.
 */
import assert from "node:assert/strict";
import { nowSec } from "../src/base/clock.ts";
import {
  type Ask,
  fileNames,
  readSeries,
  snapshotNames,
  untilSnapshots,
  write,
} from "./crash/answers.ts";
import { DurableServer, type StoreSettings } from "./crash/durable_server.ts";

const METRICS = { load: { frequency: 10, aggregation: "avg" } } as const;
const SETTINGS: StoreSettings = { metrics: METRICS };
const WITH_SNAPSHOTS: StoreSettings = {
  metrics: METRICS,
  store: { "checkpoint-interval": "1s" },
  checkpoints: { "max-wal-size": 1 },
};
const START_SEC = nowSec() - 3600;
/** Enough that both shards own some. */
const HOSTS = Array.from({ length: 12 }, (_, i) => `node${i}`);
const COUNT = 100;

/** Samples `from` to `to` of every host, a batch each. */
async function fill(
  server: DurableServer,
  from: number,
  to: number,
): Promise<void> {
  for (let i = from; i < to; i++) {
    await write(
      server,
      HOSTS.map((host, h) =>
        `load,cluster=c,hostname=${host} value=${valueOf(h, i)} ${
          START_SEC + 10 * i
        }`
      ),
    );
  }
}

function valueOf(host: number, i: number): number {
  return host * 1000 + i / 3;
}

function ask(host: string): Ask {
  return {
    cluster: "c",
    host,
    metric: "load",
    from: START_SEC,
    to: START_SEC + 3600,
  };
}

/** Every host's samples up to `count`; how many of them are missing. */
async function countMissing(
  server: DurableServer,
  count: number,
): Promise<number> {
  let missing = 0;
  for (const [h, host] of HOSTS.entries()) {
    const entry = await readSeries(server, ask(host));
    const shift = entry === undefined ? 0 : (entry.from - START_SEC) / 10;
    for (let i = 0; i < count; i++) {
      const value = entry?.data[i - shift] ?? null;
      if (value === null) missing++;
      else assert.equal(value, valueOf(h, i));
    }
  }
  return missing;
}

/** Turns one byte of a file over. */
function damage(path: string, offset: number): void {
  const bytes = Deno.readFileSync(path);
  assert.ok(offset >= 0 && offset < bytes.length);
  bytes[offset]! ^= 0x40;
  Deno.writeFileSync(path, bytes);
}

Deno.test("a damaged snapshot is put aside and the one before with the log says the same", async () => {
  await using server = await DurableServer.create();
  await server.start(WITH_SNAPSHOTS);
  await fill(server, 0, COUNT);
  const first = await untilSnapshots(server, [0, 1], 2);
  await fill(server, COUNT, COUNT + 50);
  await untilSnapshots(server, [0, 1], 2, first);
  await server.stop();
  for (const shard of [0, 1]) {
    const directory = server.shardDirectory(2, shard);
    const path = `${directory}/${snapshotNames(directory).at(-1)!}`;
    damage(path, Math.floor(Deno.statSync(path).size / 2));
  }
  await server.start(SETTINGS);
  assert.equal(await countMissing(server, COUNT + 50), 0);
  assert.match(server.child.output, /a snapshot is damaged/);
  for (const shard of [0, 1]) {
    const quarantine = `${server.shardDirectory(2, shard)}/quarantine`;
    assert.equal(snapshotNames(quarantine).length, 1);
  }
  await server.restart(SETTINGS);
  assert.equal(await countMissing(server, COUNT + 50), 0);
});

Deno.test("a damaged record of the log is passed over, told and put aside", async () => {
  await using server = await DurableServer.create();
  await server.start(SETTINGS);
  await fill(server, 0, COUNT);
  await server.kill();
  const directory = server.shardDirectory(2, 0);
  const [segment] = fileNames(directory);
  const path = `${directory}/${segment}`;
  const size = Deno.statSync(path).size;
  damage(path, Math.floor(size / 2));
  await server.start(WITH_SNAPSHOTS);
  const missing = await countMissing(server, COUNT);
  // One record is one batch of the shard's hosts.
  assert.ok(missing > 0 && missing < HOSTS.length, `${missing} are missing`);
  assert.match(
    server.child.output,
    /a part of the log is damaged and was passed over/,
  );
  assert.ok(server.child.output.includes(path), server.child.output);
  await fill(server, COUNT, COUNT + 1);
  await untilSnapshots(server, [0], 2);
  await server.child.until(
    "the copy of the damaged segment",
    20_000,
    () => fileNames(`${directory}/quarantine`).includes(segment!) || undefined,
  );
  await server.restart(SETTINGS);
  assert.equal(await countMissing(server, COUNT + 1), missing);
});

Deno.test("files that are not ours do not keep the server from starting", async () => {
  await using server = await DurableServer.create();
  await server.start(SETTINGS);
  await fill(server, 0, COUNT);
  await server.stop();
  const junk = new Uint8Array(300).map((_, i) => i * 37);
  const store = `${server.checkpoints}/ringstore`;
  const shard = server.shardDirectory(2, 0);
  for (
    const directory of [
      `${server.checkpoints}/c/node1`,
      `${store}/shards-5`,
      `${store}/shards-3/0`,
      `${store}/other`,
      `${shard}/wal.0000000050`,
      `${shard}/deeper`,
    ]
  ) Deno.mkdirSync(directory, { recursive: true });
  for (
    const file of [
      `${server.checkpoints}/current.wal`,
      `${server.checkpoints}/c/node1/current.wal`,
      `${store}/shards-7`,
      `${store}/notes.txt`,
      `${store}/shards-3/0/wal.0000000001`,
      `${store}/shards-3/0/snapshot.0000000002`,
      `${shard}/wal.0000000042`,
      `${shard}/snapshot.0000000043`,
      `${shard}/snapshot.0000000044.tmp`,
      `${shard}/wal.x`,
      `${shard}/ä`,
    ]
  ) Deno.writeFileSync(file, junk);
  Deno.writeFileSync(`${shard}/wal.0000000041`, new Uint8Array(0));
  await server.start(SETTINGS);
  assert.equal(await countMissing(server, COUNT), 0);
  await fill(server, COUNT, COUNT + 10);
  await server.restart(WITH_SNAPSHOTS);
  await untilSnapshots(server, [0, 1], 2);
  await server.restart(SETTINGS);
  assert.equal(await countMissing(server, COUNT + 10), 0);
  assert.deepEqual(
    Deno.readFileSync(`${server.checkpoints}/c/node1/current.wal`),
    junk,
  );
});

Deno.test("damage in what another number of workers left is told once", async () => {
  await using server = await DurableServer.create();
  await server.start(SETTINGS);
  await fill(server, 0, COUNT);
  await server.kill();
  const directory = server.shardDirectory(2, 1);
  const [segment] = fileNames(directory);
  const path = `${directory}/${segment}`;
  damage(path, Math.floor(Deno.statSync(path).size / 2));
  await server.start({ ...SETTINGS, store: { "num-workers": 3 } });
  const missing = await countMissing(server, COUNT);
  assert.ok(missing > 0 && missing < HOSTS.length, `${missing} are missing`);
  const told = server.child.output.split("\n").filter((text) =>
    text.includes("is damaged and was passed over")
  );
  assert.equal(told.length, 1, server.child.output);
  assert.ok(told[0]?.includes(path), told[0]);
});
