/** What tests of NATS ask the server for: metrics, health and samples. */
import { nowSec } from "../../src/base/clock.ts";
import type { TestClient } from "./client.ts";

/** A real wait is far shorter. */
const WAIT_MS = 60_000;
const POLL_MS = 20;

/** Resolves with the first value other than `undefined`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const signal = AbortSignal.timeout(WAIT_MS);
  while (true) {
    const found = await look();
    if (found !== undefined) return found;
    if (signal.aborted) throw new Error(`no ${what} within ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The sum of a metric over the label sets that contain `labels`. */
export async function metric(
  client: TestClient,
  name: string,
  labels = "",
): Promise<number> {
  const { text } = await client.send({ method: "GET", path: "/metrics" });
  let sum = 0;
  for (const line of text.split("\n")) {
    const found = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line);
    if (found?.[1] !== `ringstore_${name}`) continue;
    if ((found[2] ?? "").includes(labels)) sum += Number(found[3]);
  }
  return sum;
}

/** Resolves when the metric reaches a number. */
export async function untilMetric(
  client: TestClient,
  name: string,
  least: number,
  labels = "",
): Promise<void> {
  await until(
    `${name} of ${least}`,
    async () => await metric(client, name, labels) >= least || undefined,
  );
}

export async function untilConnected(client: TestClient): Promise<void> {
  await untilMetric(client, "nats_connected", 1);
}

/** A host's samples by time; empty where there are none. */
export async function samples(
  client: TestClient,
  cluster: string,
  host: string,
  name: string,
  fromSec: number,
): Promise<Map<number, number>> {
  const { text } = await client.query({
    cluster,
    from: fromSec,
    to: nowSec() + 3600,
    "with-padding": false,
    "with-stats": false,
    queries: [{ metric: name, host }],
  });
  const [entry] = JSON.parse(text).results[0] ?? [];
  const found = new Map<number, number>();
  (entry?.data ?? []).forEach((value: number | null, i: number) => {
    if (value !== null) found.set(entry.from + i * entry.resolution, value);
  });
  return found;
}
