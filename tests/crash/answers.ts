/** Asking a server the same things before and after a restart. */
import assert from "node:assert/strict";
import { segmentOfSnapshotName } from "../../src/metricstore/persist/filenames.ts";
import type { DurableServer } from "./durable_server.ts";

export interface Entry {
  readonly error?: string;
  readonly from: number;
  readonly to: number;
  readonly data: readonly (number | null)[];
}

/** Which series, over which range. */
export interface Ask {
  readonly cluster: string;
  readonly host: string;
  readonly metric: string;
  readonly from: number;
  readonly to: number;
  readonly type?: string;
  readonly ids?: readonly string[];
  readonly subtype?: string;
  readonly subids?: readonly string[];
}

/** The body of a query's answer; it must be a 200. */
export async function answerText(
  server: DurableServer,
  ask: Ask,
): Promise<string> {
  const answer = await server.client.query({
    cluster: ask.cluster,
    from: ask.from,
    to: ask.to,
    "with-padding": false,
    queries: [{
      host: ask.host,
      metric: ask.metric,
      aggreg: false,
      resolution: 0,
      type: ask.type,
      "type-ids": ask.ids,
      subtype: ask.subtype,
      "subtype-ids": ask.subids,
    }],
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

/** The one series asked for; `undefined`: there is nothing. */
export async function readSeries(
  server: DurableServer,
  ask: Ask,
): Promise<Entry | undefined> {
  const text = await answerText(server, ask);
  const { results } = JSON.parse(text) as { results: Entry[][] };
  const entry = results[0]?.[0];
  return entry?.error === undefined ? entry : undefined;
}

/** Writes lines that must all be taken. */
export async function write(
  server: DurableServer,
  lines: readonly string[],
): Promise<void> {
  const answer = await server.client.write(lines.join("\n"));
  assert.deepEqual([answer.status, answer.text], [200, ""]);
  assert.equal(answer.headers["x-skipped"], undefined);
}

/** Names of the plain files in a directory; none if it is not there. */
export function fileNames(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)]
      .filter((entry) => entry.isFile).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Names of the snapshots in a directory, the newest last. */
export function snapshotNames(directory: string): string[] {
  return fileNames(directory).filter((name) =>
    segmentOfSnapshotName(name) !== undefined
  );
}

/** Only reached when something is broken. */
const CONDITION_MS = 20_000;

/** Resolves with the newest snapshots when each shard has one that is none of `before`. */
export async function untilSnapshots(
  server: DurableServer,
  shards: readonly number[],
  shardCount: number,
  before: readonly (string | undefined)[] = [],
): Promise<(string | undefined)[]> {
  return await server.child.until("snapshots", CONDITION_MS, () => {
    const newest = shards.map((shard) =>
      snapshotNames(server.shardDirectory(shardCount, shard)).at(-1)
    );
    const isNew = newest.every((name, i) =>
      name !== undefined && name !== before[i]
    );
    return isNew ? newest : undefined;
  });
}
