/**
 * One process a directory, shown on real processes: while a server takes writes,
 * second servers and clean-ups come to its directory at random moments and are
 * killed, or wait, or take over from a server that is killed. Whatever a server
 * acknowledged is there in the end, bit for bit.
 *
 * `CRASH_ROUNDS` sets the number of rounds, `CRASH_SEED` repeats a run (up to the
 * timing of the processes).
 */
import assert from "node:assert/strict";
import { Random } from "../../benches/support/random.ts";
import { printLine } from "../../src/app/cli/output.ts";
import { nowSec } from "../../src/base/clock.ts";
import type { Child } from "../support/child.ts";
import { TestClient } from "../support/client.ts";
import { DurableServer, type StoreSettings } from "./durable_server.ts";
import { METRICS, NumberedSamples } from "./numbered_samples.ts";

const ROUNDS = Math.min(60, Number(Deno.env.get("CRASH_ROUNDS") ?? 6));
const SEED = Number(Deno.env.get("CRASH_SEED") ?? nowSec());

const START_MS = 60_000;
/** About as long as a start takes. */
const DELAY_MS_MAX = 600;
/** Batches that a server acknowledges in a round at least. */
const BATCHES_MIN = 20;

function settings(random: Random): StoreSettings {
  return {
    metrics: METRICS,
    store: { "checkpoint-interval": "1h", "num-workers": 2 },
    // Sometimes with snapshots in between, which is what loses samples.
    checkpoints: { "max-wal-size": random.below(2) === 0 ? 20_000 : 0 },
  };
}

/** A moment that the seed chose, not a wait for something. */
function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes until `isOver`; every batch that is acknowledged counts. */
async function writeUntil(
  server: DurableServer,
  samples: NumberedSamples,
  isOver: () => boolean,
): Promise<void> {
  const client = new TestClient(server.url);
  try {
    for (let count = 0; count < BATCHES_MIN || !isOver(); count++) {
      const batch = samples.makeBatch();
      const answer = await client.write(batch.lines);
      assert.deepEqual([answer.status, answer.text], [200, ""]);
      samples.acknowledge(batch);
    }
  } finally {
    client.close();
  }
}

/** A second process on the directory; which and how it ends is up to the seed. */
async function intrude(server: DurableServer, random: Random): Promise<void> {
  const isServer = random.below(2) === 0;
  const child = await server.spawn(
    settings(random),
    ...(isServer ? [] : ["-cleanup-checkpoints"]),
  );
  // A server would wait for 10 s, and is killed before that here.
  const isKilled = isServer || random.below(2) === 0;
  await delay(random.below(DELAY_MS_MAX));
  if (isKilled) {
    await child.stop("SIGKILL");
    assert.doesNotMatch(child.output, /listening on/);
  } else {
    assert.equal((await child.ended()).code, 0, child.output);
    assert.match(child.output, /cleaned up/);
  }
}

Deno.test(`second processes on a directory take nothing acknowledged away, in ${ROUNDS} rounds`, async () => {
  printLine(`seed ${SEED}, ${ROUNDS} rounds`);
  const random = new Random(SEED);
  await using server = await DurableServer.create();
  const samples = new NumberedSamples(random, nowSec() - 36 * 3600);
  await server.start(settings(random));
  for (let round = 0; round < ROUNDS; round++) {
    let isOver = false;
    const written = writeUntil(server, samples, () => isOver);
    const intruders = Promise.all(
      [0, 1].map(() => intrude(server, random)),
    ).finally(() => isOver = true);
    await Promise.all([written, intruders]);
    if (random.below(2) === 0) await server.kill();
    else await server.stop();
    await server.start(settings(random));
    const answer = await server.client.query(samples.question);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(samples.check(answer.text) > 0);
  }
});

Deno.test("a second server waits for the first and takes over when that is killed", async () => {
  const random = new Random(SEED);
  await using server = await DurableServer.create();
  const samples = new NumberedSamples(random, nowSec() - 36 * 3600);
  await server.start(settings(random));
  await writeUntil(server, samples, () => true);
  await server.start(settings(random), async (child) => {
    await untilWaiting(child);
    await server.kill();
  });
  const answer = await server.client.query(samples.question);
  assert.ok(samples.check(answer.text) > 0);
});

Deno.test("a second server on a directory ends with 1 after 10 s and names directory and holder", async () => {
  await using server = await DurableServer.create();
  const random = new Random(SEED);
  const archive = `${server.directory}/job-archive`;
  await Deno.mkdir(archive);
  await Deno.writeTextFile(`${archive}/version.txt`, "3\n");
  const shared = { sections: { archive: { path: archive } } };
  await server.start({ ...settings(random), ...shared });
  const { pid } = server.child;
  const ofStore = await server.spawn({
    ...settings(random),
    main: { db: `${server.directory}/other.db` },
  });
  // It has read the configuration that the next one replaces.
  await untilWaiting(ofStore);
  const ofDatabase = await server.spawn({
    ...settings(random),
    checkpoints: { directory: `${server.directory}/other` },
  });
  await untilWaiting(ofDatabase);
  const ofArchive = await server.spawn({
    ...{ ...settings(random), ...shared },
    main: { db: `${server.directory}/third.db` },
    checkpoints: { directory: `${server.directory}/third` },
  });
  assert.equal((await ofStore.ended()).code, 1);
  assert.equal((await ofDatabase.ended()).code, 1);
  assert.equal((await ofArchive.ended()).code, 1);
  const inUse = (key: string, path: string) =>
    `${key}: ${path} is in use by process ${pid} on ${Deno.hostname()}; ` +
    "one process at a time may work there\n";
  assert.ok(
    ofStore.output.endsWith(
      inUse("metric-store.checkpoints.directory", server.checkpoints),
    ),
    ofStore.output,
  );
  assert.ok(
    ofDatabase.output.endsWith(inUse("main.db", `${server.directory}/job.db`)),
    ofDatabase.output,
  );
  assert.ok(
    ofArchive.output.endsWith(inUse("archive.path", archive)),
    ofArchive.output,
  );
});

Deno.test("-cleanup-checkpoints beside a server is done by the server, and nothing written later is lost", async () => {
  await using server = await DurableServer.create();
  const random = new Random(SEED);
  const samples = new NumberedSamples(random, nowSec() - 36 * 3600);
  const settings: StoreSettings = { metrics: METRICS };
  await server.start(settings);
  for (let i = 0; i < 2; i++) {
    await writeUntil(server, samples, () => true);
    const child = await server.spawn(settings, "-cleanup-checkpoints");
    assert.equal((await child.ended()).code, 0, child.output);
    assert.match(child.output, /^cleaned up$/m);
  }
  await writeUntil(server, samples, () => true);
  const left = [...Deno.readDirSync(`${server.checkpoints}/ringstore`)]
    .map(({ name }) => name).sort();
  assert.deepEqual(left, ["lock", "shards-2"]);
  await server.kill();
  await server.start(settings);
  const answer = await server.client.query(samples.question);
  assert.ok(samples.check(answer.text) > 0);
});

/** Resolves when a server says that it waits for another one. */
function untilWaiting(child: Child): Promise<true> {
  return child.until(
    "a word that it waits",
    START_MS,
    () => /waiting: .* is in use by process/.test(child.output) || undefined,
  );
}
