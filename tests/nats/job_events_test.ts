/** Job events and node states from a real broker to a job API that notes them. */
import assert from "node:assert/strict";
import type { Config } from "../../src/config/settings/mod.ts";
import { ClientError } from "../../src/base/errors.ts";
import { Log } from "../../src/base/log.ts";
import type { JobEventSink } from "../../src/nats/job_event_queue.ts";
import { NatsService } from "../../src/nats/nats_service.ts";
import { FakeEngine } from "../http/fake_engine.ts";
import { Broker } from "../support/broker.ts";
import { until } from "../support/nats.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

class Notes implements JobEventSink {
  readonly done: string[] = [];
  readonly #running = new Set<number>();

  startJob(json: string): Promise<void> {
    const { jobId } = JSON.parse(json);
    this.#running.add(jobId);
    this.done.push(`start ${jobId}`);
    return Promise.resolve();
  }

  stopJob(json: string): Promise<void> {
    const { jobId } = JSON.parse(json);
    if (!this.#running.delete(jobId)) {
      return Promise.reject(new ClientError("E_NOT_FOUND", "no such job"));
    }
    this.done.push(`stop ${jobId}`);
    return Promise.resolve();
  }

  nodeState(json: string): Promise<void> {
    this.done.push(`nodes ${JSON.parse(json).cluster}`);
    return Promise.resolve();
  }
}

function event(name: string, value: unknown): string {
  const [measurement, fn] = name.split(" ");
  const tags = fn === undefined ? "" : `,function=${fn}`;
  const json = JSON.stringify(value).replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  return `${measurement}${tags} event="${json}" 1738842306000000000\n`;
}

natsTest(
  "job events and node states reach the job API in order, whatever is wrong between them",
  async () => {
    await using broker = await Broker.start();
    const sink = new Notes();
    const lines: string[] = [];
    const config = {
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
        "max-in-flight": 1 << 20,
      },
      "metric-store": { "nats-subscriptions": [] } as unknown as Config[
        "metric-store"
      ],
    };
    const service = new NatsService({
      config,
      engine: new FakeEngine(),
      log: new Log(
        { level: "warn", dates: false, priorities: false },
        (line) => lines.push(line),
      ),
      grantOf: () => ({ refused: "there are none" }),
      jobEvents: {
        subjects: {
          "subject-job-event": "cc.job",
          "subject-node-state": "cc.nodes",
          "stream-job-event": "",
          "durable-job-event": "",
          "stream-node-state": "",
          "durable-node-state": "",
          "job-concurrency": 8,
          "node-concurrency": 2,
        },
        sink,
      },
    });
    const stats = service.jobEvents!;
    const nats = await broker.connect();
    try {
      await until(
        "connection",
        () => Promise.resolve(service.state === "connected" || undefined),
      );
      nats.publish("cc.job", event("job stop_job", { jobId: 2 }));
      nats.publish(
        "cc.job",
        event("job start_job", { jobId: 1 }) + event("job pause", {}) +
          event("job stop_job", { jobId: 1 }),
      );
      nats.publish("cc.job", event("job start_job", { jobId: 2 }));
      nats.publish("cc.job", "job no protocol at all");
      nats.publish("cc.nodes", event("nodestate", { cluster: "alpha" }));
      await nats.flush();
      await until(
        "five events",
        () => Promise.resolve(stats.handled === 5 || undefined),
      );
      const of = (id: number) =>
        sink.done.filter((note) => note.endsWith(` ${id}`));
      assert.deepEqual(of(1), ["start 1", "stop 1"]);
      assert.deepEqual(of(2), ["start 2", "stop 2"]);
      assert.ok(sink.done.includes("nodes alpha"));
      assert.deepEqual(stats.problems, { function: 1, syntax: 1 });
      assert.match(
        lines.join(""),
        /WARN not an event subject=cc\.job problem=function reason="tag function/,
      );
    } finally {
      await nats.close();
      await service.close();
    }
  },
);
