/** Plain NATS subscriptions of a real server at a real broker. */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { Broker } from "../support/broker.ts";
import { TestClient } from "../support/client.ts";
import { samples, untilConnected, untilMetric } from "../support/nats.ts";
import { TestServer } from "../support/server.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

const METRICS = { load: { frequency: 1, aggregation: null } } as const;
const TIME = nowSec() - 600;

interface Subscription {
  readonly "subscribe-to": string;
  readonly [key: string]: unknown;
}

function serve(
  broker: Broker,
  subscriptions: readonly Subscription[],
  nats: Readonly<Record<string, unknown>> = {},
): Promise<TestServer> {
  return TestServer.start({
    metrics: METRICS,
    metricStore: { "nats-subscriptions": subscriptions, "num-workers": 2 },
    sections: { nats: { address: broker.address, ...nats } },
  });
}

natsTest(
  "two subscriptions with wildcards give lines the cluster of the one that brought them",
  async () => {
    await using broker = await Broker.start();
    await using server = await serve(broker, [
      { "subscribe-to": "alpha.*", "cluster-tag": "alpha" },
      { "subscribe-to": "beta.>", "cluster-tag": "beta" },
    ]);
    const client = new TestClient(server.url);
    await untilConnected(client);
    const nats = await broker.connect();
    try {
      for (let i = 0; i < 200; i++) {
        const [cluster, subject] = i % 2 === 0
          ? ["alpha", "alpha.metrics"]
          : ["beta", "beta.rack.metrics"];
        const line = `load,hostname=${cluster}-${i} value=${i} ${TIME}`;
        nats.publish(subject, i % 3 === 0 ? line : `${line}\n`);
      }
      nats.publish("alpha.b.c", `load,hostname=lost value=1 ${TIME}\n`);
      nats.publish("alpha.x", `load,cluster=own,hostname=o value=5 ${TIME}\n`);
      await nats.flush();
      await untilMetric(client, "nats_samples_total", 201);
      for (let i = 0; i < 200; i++) {
        const cluster = i % 2 === 0 ? "alpha" : "beta";
        const found = await samples(
          client,
          cluster,
          `${cluster}-${i}`,
          "load",
          TIME,
        );
        assert.deepEqual([...found], [[TIME, i]], `${cluster}-${i}`);
      }
      const own = await samples(client, "own", "o", "load", TIME);
      assert.deepEqual([...own.values()], [5]);
      const health = await client.send({ method: "GET", path: "/health" });
      assert.equal(health.text, "ok\nnats connected\n");
      // Strangers learn no more than whether the server works.
      for (const authorization of [null, "Bearer nonsense"]) {
        const stranger = await client.send({
          method: "GET",
          path: "/health",
          authorization,
        });
        assert.equal(stranger.text, "ok\n");
      }
    } finally {
      await nats.close();
      client.close();
    }
  },
);

natsTest(
  "bad lines and unclosed strings cost themselves, are counted and are logged with their subject",
  async () => {
    await using broker = await Broker.start();
    await using server = await serve(broker, [{
      "subscribe-to": "m",
      "cluster-tag": "c",
    }]);
    const client = new TestClient(server.url);
    await untilConnected(client);
    const nats = await broker.connect();
    try {
      const good = (host: string) => `load,hostname=${host} value=1 ${TIME}`;
      nats.publish("m", `${good("a")}\nload,hostname=x value=oops ${TIME}`);
      nats.publish("m", `event,hostname=e event="never closed ${good("b")}`);
      nats.publish("m", good("c"));
      nats.publish("m", "");
      nats.publish("m", `unknown,hostname=a value=1\n${good("d")}`);
      await nats.flush();
      await untilMetric(client, "nats_messages_total", 5);
      await untilMetric(client, "nats_samples_total", 3);
      await untilMetric(
        client,
        "nats_rejected_lines_total",
        1,
        'reason="value"',
      );
      await untilMetric(
        client,
        "nats_skipped_lines_total",
        1,
        "unknown-metric",
      );
      for (const host of ["a", "c", "d"]) {
        const found = await samples(client, "c", host, "load", TIME);
        assert.deepEqual([...found.values()], [1], host);
      }
      assert.match(
        server.child.output,
        /WARN lines refused subject=m .*reason="at line 2: /,
      );
    } finally {
      await nats.close();
      client.close();
    }
  },
);

natsTest("servers of a queue group share the messages", async () => {
  await using broker = await Broker.start();
  const subscription = {
    "subscribe-to": "q",
    "queue-group": "stores",
    "cluster-tag": "c",
  };
  await using first = await serve(broker, [subscription]);
  await using second = await serve(broker, [subscription]);
  const clients = [first, second].map(({ url }) => new TestClient(url));
  const nats = await broker.connect();
  try {
    for (const client of clients) await untilConnected(client);
    const hosts = Array.from({ length: 100 }, (_, i) => `h${i}`);
    for (const host of hosts) {
      nats.publish("q", `load,hostname=${host} value=1 ${TIME}\n`);
    }
    await nats.flush();
    const count = async (client: TestClient) => {
      let found = 0;
      for (const host of hosts) {
        found += (await samples(client, "c", host, "load", TIME)).size;
      }
      return found;
    };
    let counts: number[] = [];
    do counts = await Promise.all(clients.map(count)); while (
      counts[0]! + counts[1]! < hosts.length
    );
    assert.equal(counts[0]! + counts[1]!, hosts.length);
    assert.ok(counts.every((one) => one > 0), `shared: ${counts}`);
  } finally {
    await nats.close();
    for (const client of clients) client.close();
  }
});

natsTest(
  "the server starts without a broker, connects when it comes, and again after every end",
  async () => {
    await using broker = await Broker.create();
    await using server = await serve(broker, [{
      "subscribe-to": "m",
      "cluster-tag": "c",
    }]);
    const client = new TestClient(server.url);
    try {
      const health = await client.send({ method: "GET", path: "/health" });
      assert.equal(health.text, "ok\nnats connecting\n");
      for (let round = 1; round <= 3; round++) {
        await broker.run();
        await untilMetric(client, "nats_connects_total", round);
        const nats = await broker.connect({ reconnect: false });
        const time = TIME + round;
        nats.publish("m", `load,hostname=h value=${round} ${time}\n`);
        await nats.flush();
        await untilMetric(client, "nats_samples_total", round);
        // Under load: the end of the broker must not end anything else.
        const load = setInterval(() => {
          if (!nats.isClosed()) {
            nats.publish("m", `load,hostname=x value=1 ${TIME}\n`);
          }
        }, 1);
        await broker.end(round === 1 ? "SIGTERM" : "SIGKILL");
        await nats.closed();
        clearInterval(load);
        await untilMetric(client, "nats_connected", 0);
      }
      const found = await samples(client, "c", "h", "load", TIME);
      assert.deepEqual([...found.values()], [1, 2, 3]);
    } finally {
      client.close();
    }
  },
);
