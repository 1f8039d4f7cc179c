/**
 * The promise of the log, shown on real processes: numbered samples are sent over
 * several connections, the server is killed with SIGKILL at random moments, also
 * while it writes snapshots and while it restores, and after each restart every
 * acknowledged sample is there bit for bit and none that was never sent.
 *
 * `CRASH_ROUNDS` sets the number of kills, `CRASH_SEED` repeats a run (up to the
 * timing of the processes).
 */
import assert from "node:assert/strict";
import { Random } from "../../benches/support/random.ts";
import { printLine } from "../../src/app/cli/output.ts";
import { nowSec } from "../../src/base/clock.ts";
import { TestClient } from "../support/client.ts";
import { DurableServer, type StoreSettings } from "./durable_server.ts";
import { METRICS, NumberedSamples } from "./numbered_samples.ts";

const ROUNDS = Number(Deno.env.get("CRASH_ROUNDS") ?? 50);
const SEED = Number(Deno.env.get("CRASH_SEED") ?? nowSec());
/** A new store after so many rounds, since every round reads all there is. */
const ROUNDS_OF_A_STORE = 50;

const CONNECTIONS = 4;
/** Batches after which it is killed, at most. */
const BATCHES_MAX = 60;
/** It is killed up to so much later. */
const DELAY_MS_MAX = 8;
/** A start that is killed lives up to so long; about a start's duration. */
const START_MS_MAX = 400;

/** Sizes of a shard's log that cause a snapshot: all the time, now and then, never. */
const LOG_BYTES = [2_000, 20_000, 0];
/** Mostly the same, so that kills hit other things than the change. */
const WORKERS = [2, 2, 2, 2, 2, 3];

function settings(random: Random): StoreSettings {
  return {
    metrics: METRICS,
    store: {
      "checkpoint-interval": "1s",
      "num-workers": WORKERS[random.below(WORKERS.length)]!,
    },
    checkpoints: {
      "max-wal-size": LOG_BYTES[random.below(LOG_BYTES.length)]!,
      "sync-interval": random.below(4) === 0 ? "0s" : "1s",
    },
  };
}

/** Starts it, now and then only after a start that was killed half-way. */
async function start(server: DurableServer, random: Random): Promise<void> {
  while (random.below(5) === 0) {
    const child = await server.spawn(settings(random));
    await delay(random.below(START_MS_MAX));
    await child.stop("SIGKILL");
  }
  await server.start(settings(random));
}

/** A moment that the seed chose, not a wait for something. */
function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes over several connections until it is killed. */
async function writeUntilKilled(
  server: DurableServer,
  samples: NumberedSamples,
  random: Random,
): Promise<void> {
  let isKilled = false;
  let batchesLeft = 1 + random.below(BATCHES_MAX);
  const killed = Promise.withResolvers<void>();
  const write = async () => {
    const client = new TestClient(server.url);
    try {
      while (!isKilled) {
        const batch = samples.makeBatch();
        const answer = await client.write(batch.lines);
        assert.deepEqual([answer.status, answer.text], [200, ""]);
        assert.equal(answer.headers["x-skipped"], undefined);
        samples.acknowledge(batch);
        if (--batchesLeft === 0) killed.resolve();
      }
    } catch (error) {
      // Connections break when the process is gone, not before.
      if (!isKilled || error instanceof assert.AssertionError) {
        killed.reject(error);
        throw error;
      }
    } finally {
      client.close();
    }
  };
  const writers = Promise.all(Array.from({ length: CONNECTIONS }, write));
  await killed.promise;
  await delay(random.below(DELAY_MS_MAX + 1));
  isKilled = true;
  await server.kill();
  await writers;
}

Deno.test(`a server that is killed ${ROUNDS} times loses nothing acknowledged and invents nothing`, async () => {
  printLine(`seed ${SEED}, ${ROUNDS} rounds`);
  const random = new Random(SEED);
  let kept = 0;
  for (let first = 0; first < ROUNDS; first += ROUNDS_OF_A_STORE) {
    await using server = await DurableServer.create();
    const samples = new NumberedSamples(random, nowSec() - 36 * 3600);
    const end = Math.min(ROUNDS, first + ROUNDS_OF_A_STORE);
    for (let round = first; round < end; round++) {
      await start(server, random);
      if (samples.count > 0) {
        const answer = await server.client.query(samples.question);
        assert.equal(answer.status, 200, answer.text);
        kept = samples.check(answer.text);
      }
      await writeUntilKilled(server, samples, random);
    }
    await server.start(settings(random));
    const answer = await server.client.query(samples.question);
    kept = samples.check(answer.text);
    assert.ok(kept > 0);
    printLine(`${end} kills, ${kept} of ${samples.count} samples kept`);
  }
});
