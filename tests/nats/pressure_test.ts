/**
 * A store that is too slow: what waits is bounded. The subscriptions are real, at a
 * real broker; the engine is one that tests can hold up.
 */
import assert from "node:assert/strict";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { Config } from "../../src/config/settings/mod.ts";
import { ClientError } from "../../src/base/errors.ts";
import { Log } from "../../src/base/log.ts";
import { NatsService } from "../../src/nats/nats_service.ts";
import { FakeEngine } from "../http/fake_engine.ts";
import { Broker } from "../support/broker.ts";
import { until } from "../support/nats.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

const BOUND = 1 << 20;
const MESSAGE = `load,hostname=h value=1 ${"1".repeat(10)}\n`.padStart(
  50_000,
  "# padding\n",
);

class Held implements AsyncDisposable {
  readonly engine = new FakeEngine();
  readonly lines: string[] = [];
  readonly service: NatsService;

  constructor(
    broker: Broker,
    subscription: Readonly<Record<string, string>>,
  ) {
    this.service = new NatsService({
      config: {
        nats: {
          address: broker.address,
          username: "",
          password: "",
          token: "",
          "creds-file-path": "",
          "nkey-file": "",
          "tls-ca-file": "",
          "tls-cert-file": "",
          "tls-key-file": "",
          "max-in-flight": BOUND,
        },
        "metric-store": {
          "nats-subscriptions": [{
            "subscribe-to": "m",
            "cluster-tag": "c",
            "queue-group": "",
            stream: "",
            durable: "",
            instance: "",
            "access-policy": "",
            ...subscription,
          }],
        } as unknown as Config["metric-store"],
      },
      engine: this.engine,
      log: new Log(
        { level: "warn", dates: false, priorities: false },
        (line) => this.lines.push(line),
      ),
      grantOf: () => ({ refused: "there are none" }),
    });
  }

  get stats() {
    return this.service.subscriptions[0]!;
  }

  logged(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.close();
  }
}

function settled(look: () => boolean): Promise<true> {
  return until("state", () => Promise.resolve(look() || undefined));
}

natsTest(
  "NatsService keeps plain messages within nats.max-in-flight, counts what it drops and warns once a crossing",
  async () => {
    await using broker = await Broker.start();
    await using held = new Held(broker, {});
    await settled(() => held.service.state === "connected");
    const nats = await broker.connect();
    let dropped = 0;
    for (let crossing = 1; crossing <= 2; crossing++) {
      const gate = Promise.withResolvers<void>();
      const report = await held.engine.report;
      held.engine.report = gate.promise.then(() => report);
      const before = held.stats.messages;
      for (let i = 0; i < 100; i++) nats.publish("m", MESSAGE);
      await nats.flush();
      await settled(() => held.stats.messages === before + 100);
      const room = Math.floor(BOUND / MESSAGE.length);
      dropped += 100 - room;
      assert.equal(held.service.bytesInFlight, room * MESSAGE.length);
      assert.equal(held.stats.dropped, dropped);
      assert.equal(held.logged("messages are dropped"), crossing);
      gate.resolve();
      await settled(() => held.service.bytesInFlight === 0);
      // The next one says that the crossing is over.
      nats.publish("m", MESSAGE);
      await settled(() => held.logged("messages are taken again") === crossing);
    }
    await settled(() => held.service.bytesInFlight === 0);
    const stored = held.engine.batches.reduce(
      (sum, { bytes }) => sum + bytes,
      0,
    );
    assert.equal(
      stored,
      (held.stats.messages - held.stats.dropped) * MESSAGE.length,
    );
    await nats.close();
  },
);

natsTest(
  "NatsService takes from a stream what has room and loses nothing of the rest",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    const nats = await broker.connect();
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: "S", subjects: ["m"] });
    const stream = jetstream(nats);
    await using held = new Held(broker, { stream: "S", durable: "d" });
    const gate = Promise.withResolvers<void>();
    const report = await held.engine.report;
    held.engine.report = gate.promise.then(() => report);
    await settled(() => held.service.state === "connected");
    for (let i = 0; i < 100; i++) await stream.publish("m", MESSAGE);
    await settled(() => held.stats.messages > 0);
    const { num_ack_pending } = await manager.consumers.info("S", "d");
    assert.ok(
      num_ack_pending * MESSAGE.length <= BOUND,
      String(num_ack_pending),
    );
    assert.ok(held.service.bytesInFlight <= BOUND);
    gate.resolve();
    await settled(() =>
      held.engine.batches.reduce((sum, { bytes }) => sum + bytes, 0) ===
        100 * MESSAGE.length
    );
    assert.equal(held.stats.dropped, 0);
    const sequences = held.engine.batches.map(({ options }) =>
      options.mark?.sequence ?? 0
    );
    assert.deepEqual(sequences, sequences.toSorted((a, b) => a - b));
    assert.equal(sequences.at(-1), 100);
    await nats.close();
  },
);

natsTest(
  "NatsService tries a batch again while the store cannot take it, and acknowledges it then",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    const nats = await broker.connect();
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: "S", subjects: ["m"] });
    await using held = new Held(broker, { stream: "S", durable: "d" });
    held.engine.failure = new ClientError("E_STORAGE", "no space left");
    await jetstream(nats).publish("m", "load,hostname=h value=1\n");
    await settled(() => held.stats.retries >= 2);
    const failing = await manager.consumers.info("S", "d");
    assert.equal(failing.num_ack_pending, 1);
    assert.ok(held.logged("samples wait for the store") >= 1);
    held.engine.failure = undefined;
    await until("acknowledgement", async () => {
      const info = await manager.consumers.info("S", "d");
      return info.num_ack_pending === 0 || undefined;
    });
    await nats.close();
  },
);

natsTest(
  "NatsService counts plain messages as lost that the store will never take",
  async () => {
    await using broker = await Broker.start();
    await using held = new Held(broker, { instance: "i" });
    await settled(() => held.service.state === "connected");
    const nats = await broker.connect();
    nats.publish("m", "load,hostname=h value=1\n");
    await settled(() => held.stats.failed === 1);
    assert.equal(held.engine.batches.length, 0);
    assert.match(held.lines.join(""), /samples are lost.*there are none/);
    await nats.close();
  },
);
