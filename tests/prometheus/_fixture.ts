/** A server with some series of three hosts, for tests of the Prometheus API. */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { TestClient } from "../support/client.ts";
import { TestServer } from "../support/server.ts";

const METRICS = {
  cpu_load: { frequency: 60, aggregation: "avg" },
  flops_any: { frequency: 60, aggregation: "sum" },
} as const;
export const HOSTS = ["f1", "f2", "f3"];
/** The newest sample, Unix seconds: a whole minute. */
export const NOW = Math.floor(nowSec() / 60) * 60;
const STEPS = 20;
export const START = NOW - 60 * (STEPS - 1);

function lines(): string {
  const all: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const time = START + 60 * step;
    for (const [i, host] of HOSTS.entries()) {
      const tags = `cluster=fritz,hostname=${host}`;
      all.push(`cpu_load,${tags},type=node value=${i + step} ${time}`);
      for (const id of [0, 1]) {
        all.push(
          `flops_any,${tags},type=hwthread,type-id=${id} value=${
            id + 1
          } ${time}`,
        );
      }
    }
  }
  return all.join("\n");
}

/** Runs the test on a server that has the samples. */
export async function withServer(
  test: (client: TestClient, server: TestServer) => Promise<void>,
  prometheus: Record<string, unknown> = {},
): Promise<void> {
  await using server = await TestServer.start({
    metrics: METRICS,
    sections: { prometheus },
  });
  const client = new TestClient(server.url);
  try {
    assert.equal((await client.write(lines())).status, 200);
    await test(client, server);
  } finally {
    client.close();
  }
}
