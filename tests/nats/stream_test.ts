/**
 * JetStream subscriptions of a real server at a real broker: nothing published is
 * lost to a kill, and nothing that comes again overwrites what is newer.
 */
import assert from "node:assert/strict";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { nowSec } from "../../src/base/clock.ts";
import { DurableServer, type StoreSettings } from "../crash/durable_server.ts";
import { Broker } from "../support/broker.ts";
import type { TestClient } from "../support/client.ts";
import { metric, samples, until, untilMetric } from "../support/nats.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

/** Far enough back for a message a second of it, as long as the tests run. */
const TIME = nowSec() - 40 * 3600;
const HOSTS = Array.from({ length: 40 }, (_, i) => `h${i}`);
/** Added to what is written by HTTP over a sample that came by NATS. */
const NEWER = 1e6;

function settings(broker: Broker, shards = 2): StoreSettings {
  return {
    metrics: { load: { frequency: 1, aggregation: null } },
    store: {
      "num-workers": shards,
      "nats-subscriptions": [{
        "subscribe-to": "hpc.>",
        "cluster-tag": "c",
        stream: "HPC",
        durable: "store",
      }],
    },
    sections: { nats: { address: broker.address } },
  };
}

/** One sample of each host, at a time of its own. */
function message(number: number): string {
  return HOSTS.map((host) =>
    `load,hostname=${host} value=${number} ${TIME + number}\n`
  ).join("");
}

async function pendingOf(broker: Broker): Promise<number> {
  const nats = await broker.connect();
  try {
    const manager = await jetstreamManager(nats);
    const info = await manager.consumers.info("HPC", "store");
    return info.num_pending + info.num_ack_pending;
  } finally {
    await nats.close();
  }
}

async function addStream(broker: Broker): Promise<void> {
  const nats = await broker.connect();
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: "HPC", subjects: ["hpc.>"] });
  await nats.close();
}

async function untilAllAcknowledged(broker: Broker): Promise<void> {
  await until(
    "empty durable",
    async () => (await pendingOf(broker)) === 0 || undefined,
  );
}

function hostSamples(client: TestClient, host: string) {
  return samples(client, "c", host, "load", TIME);
}

natsTest(
  "kill -9 under JetStream load loses nothing published and overwrites nothing newer",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    await addStream(broker);
    await using server = await DurableServer.create();
    const nats = await broker.connect();
    const stream = jetstream(nats);
    let published = 0;
    const newer = new Map<string, Set<number>>(
      HOSTS.map((host) => [host, new Set<number>()]),
    );
    let isOver = false;
    const publishing = (async () => {
      while (!isOver) {
        for (let i = 0; i < 20; i++) {
          await stream.publish("hpc.metrics", message(published));
          published++;
        }
        // At a pace the broker and two cores keep up with.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    // The number of workers changes on the way, too.
    const counts = [2, 3, 2, 3, 2];
    for (const shards of counts) {
      await server.start(settings(broker, shards));
      const enough = await metric(server.client, "nats_samples_total") +
        100 * HOSTS.length;
      await untilMetric(server.client, "nats_samples_total", enough);
      await server.kill();
      // What one shard has of the last messages and was not acknowledged comes again.
      await server.start(settings(broker, shards));
      for (const host of HOSTS) {
        const seen = [...(await hostSamples(server.client, host)).keys()]
          .sort();
        for (const time of seen.slice(-200)) newer.get(host)!.add(time);
        const lines = seen.slice(-200).map((time) =>
          `load,cluster=c,hostname=${host} value=${NEWER + time - TIME} ${time}`
        );
        const { status } = await server.client.write(lines.join("\n"));
        assert.equal(status, 200);
      }
      await server.kill();
    }
    await server.start(settings(broker));
    isOver = true;
    await publishing;
    await untilAllAcknowledged(broker);
    for (const host of HOSTS) {
      const found = await hostSamples(server.client, host);
      for (let i = 0; i < published; i++) {
        const value = newer.get(host)!.has(TIME + i) ? NEWER + i : i;
        assert.equal(found.get(TIME + i), value, `${host}, message ${i}`);
      }
    }
    await nats.close();
  },
);

natsTest(
  "a broker that ends under JetStream load only delays the messages",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    await addStream(broker);
    await using server = await DurableServer.create();
    await server.start(settings(broker));
    const nats = await broker.connect();
    const stream = jetstream(nats, { timeout: 2000 });
    let sent = 0;
    let isOver = false;
    const publishing = (async () => {
      // A message whose answer was lost may be in the stream: it is sent to the end.
      for (let isOpen = false; isOpen || !isOver;) {
        try {
          await stream.publish("hpc.metrics", message(sent), {
            msgID: String(sent),
          });
          sent++;
          isOpen = false;
        } catch (error) {
          // The broker is away: the same message again, which it tells by its id.
          assert.ok(error instanceof Error);
          isOpen = true;
        }
      }
    })();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const least = await metric(server.client, "nats_samples_total") + 300;
      await untilMetric(server.client, "nats_samples_total", least);
      await broker.end(signal);
      await broker.run();
    }
    isOver = true;
    await publishing;
    await untilAllAcknowledged(broker);
    for (const host of HOSTS) {
      const found = await hostSamples(server.client, host);
      assert.equal(found.size, sent, host);
    }
    assert.equal(await metric(server.client, "nats_dropped_messages_total"), 0);
    await nats.close();
  },
);

natsTest(
  "a stream that is made later is read when it is there, and a durable of another subject is refused",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    await using server = await DurableServer.create();
    await server.start(settings(broker));
    await until(
      "complaint about the stream",
      () =>
        Promise.resolve(
          /a stream cannot be read stream=HPC/.test(server.child.output) ||
            undefined,
        ),
    );
    await addStream(broker);
    const nats = await broker.connect();
    await jetstream(nats).publish("hpc.x", message(1));
    await untilMetric(server.client, "nats_samples_total", HOSTS.length);
    await server.stop();
    const other = settings(broker);
    await server.start({
      ...other,
      store: {
        ...other.store,
        "nats-subscriptions": [{
          "subscribe-to": "hpc.y",
          stream: "HPC",
          durable: "store",
        }],
      },
    });
    await until(
      "complaint about the durable",
      () =>
        Promise.resolve(
          /durable store of stream HPC reads/.test(server.child.output) ||
            undefined,
        ),
    );
    await nats.close();
  },
);
