/** The `publish` command at a real broker and a real server. */
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { nowSec } from "../../src/base/clock.ts";
import { Broker } from "../support/broker.ts";
import { Child } from "../support/child.ts";
import { SAMPLE_TOKEN, TestClient } from "../support/client.ts";
import { samples, untilConnected, untilMetric } from "../support/nats.ts";
import {
  programArguments,
  ROOT,
  TestServer,
  workDirectory,
} from "../support/server.ts";
import { toolTest } from "../support/tools.ts";

const natsTest = toolTest.bind(undefined, "nats");

const TIME = nowSec() - 3600;

/** Runs the task's command; gives its exit code and what it printed. */
async function publish(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const child = new Child({
    command: Deno.execPath(),
    args: [
      ...programArguments("publish"),
      ...["-config", `${ROOT}config.json`],
      ...args,
    ],
    cwd: workDirectory(),
    env: { NO_COLOR: "1", ...env },
  });
  const { code } = await child.ended();
  return { code, output: child.output };
}

natsTest(
  "publish sends a file by NATS, to a stream with acknowledgements, and by HTTP",
  async () => {
    await using broker = await Broker.start({ jetStream: true });
    const nats = await broker.connect();
    await (await jetstreamManager(nats)).streams.add({
      name: "HPC",
      subjects: ["hpc.stream"],
    });
    await nats.close();
    await using server = await TestServer.start({
      metrics: { load: { frequency: 1, aggregation: null } },
      metricStore: {
        "nats-subscriptions": [
          { "subscribe-to": "hpc.core", "cluster-tag": "core" },
          {
            "subscribe-to": "hpc.stream",
            "cluster-tag": "stream",
            stream: "HPC",
            durable: "d",
          },
        ],
      },
      sections: { nats: { address: broker.address } },
    });
    const client = new TestClient(server.url);
    try {
      await untilConnected(client);
      const file = `${server.directory}/lines`;
      const lines = Array.from(
        { length: 250 },
        (_, i) => `load,hostname=h value=${i} ${TIME + i}`,
      );
      await Deno.writeTextFile(file, lines.join("\n"));
      const config = ["-config", `${server.directory}/config.json`];
      const core = await publish(
        [file, ...config, "--subject", "hpc.core", "--lines", "100"],
      );
      assert.equal(core.code, 0, core.output);
      assert.match(
        core.output,
        /^250 lines in 3 messages, \d+ lines\/s, to hpc/,
      );
      const stream = await publish(
        [file, "--subject", "hpc.stream", "--ack", "--nats", broker.address],
      );
      assert.equal(stream.code, 0, stream.output);
      const http = await publish(
        [file, "--url", server.url, "--cluster", "http", "--rate", "5000"],
        { RINGSTORE_TOKEN: SAMPLE_TOKEN },
      );
      assert.equal(http.code, 0, http.output);
      assert.match(http.output, /: 250 stored$/m);
      await untilMetric(client, "nats_samples_total", 500);
      for (const cluster of ["core", "stream", "http"]) {
        const found = await samples(client, cluster, "h", "load", TIME);
        assert.equal(found.size, 250, cluster);
      }
    } finally {
      client.close();
    }
  },
);

natsTest(
  "publish says what is wrong with its flags, its file, and its lines",
  async () => {
    await using server = await TestServer.start({
      metrics: { load: { frequency: 1, aggregation: null } },
    });
    const usage = await publish(["--ack"]);
    assert.equal(usage.code, 2);
    assert.match(usage.output, /--ack goes with --subject only/);
    const wildcard = await publish(["--subject", "hpc.*"]);
    assert.equal(wildcard.code, 2);
    const missing = await publish([
      "no/such/file",
      "--url",
      server.url,
      "--token",
      SAMPLE_TOKEN,
    ]);
    assert.equal(missing.code, 1);
    assert.match(missing.output, /no\/such\/file/);
    const file = `${server.directory}/lines`;
    await Deno.writeTextFile(file, `load,hostname=h value=oops ${TIME}\n`);
    const refused = await publish(
      [file, "--url", server.url, "--token", SAMPLE_TOKEN, "--cluster", "c"],
    );
    assert.equal(refused.code, 1);
    assert.match(refused.output, /1 lines refused/);
  },
);
