/**
 * Archive mode on real processes: what ages out is in Parquet files exactly once,
 * whatever happens to the server meanwhile, and what is not in them can be read.
 *
 * Ageing needs no waiting: samples are written with times of the past, and each
 * start has a retention that ends a bit later in them.
 */
import assert from "node:assert/strict";
import { Random } from "../benches/support/random.ts";
import { nowSec } from "../src/base/clock.ts";
import {
  type ArchivedFile,
  archivedNames,
  type ArchivedRow,
  readArchive,
} from "./support/archived_rows.ts";
import { Child } from "./support/child.ts";
import { SAMPLE_PUBLIC_KEY, TestClient } from "./support/client.ts";
import {
  makeDirectory,
  programArguments,
  workDirectory,
} from "./support/server.ts";

const CLUSTER = "old";
const HOSTS = 12;
const METRICS = {
  fast: { frequency: 1, aggregation: null },
  slow: { frequency: 5, aggregation: null },
} as const;
type MetricName = keyof typeof METRICS;
/** Tags, how a query selects them, and what the archive makes of them. */
const LEVELS = [
  { tags: "", query: {}, scope: "node//" },
  {
    tags: ",type=cpu,type-id=3",
    query: { type: "cpu", "type-ids": ["3"] },
    scope: "hwthread/3/",
  },
  {
    tags: ",type=socket,type-id=0,stype=fs,stype-id=home",
    query: {
      type: "socket",
      "type-ids": ["0"],
      subtype: "fs",
      "subtype-ids": ["home"],
    },
    scope: "fs/home/socket0",
  },
];
const START_MS = 60_000;
const ROUNDS = 15;
/** Seconds of samples that age out in each round. */
const ROUND_SEC = 40;
/** Rounds by which writing is ahead of what ages out; far more than a start takes. */
const AHEAD = 8;

/** A store that processes come and go over. */
class Store implements AsyncDisposable {
  readonly directory: string;
  #process: { child: Child; client: TestClient } | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<Store> {
    return new Store(await makeDirectory());
  }

  get archive(): string {
    return `${this.directory}/archive`;
  }

  get files(): string {
    return `${this.archive}/${CLUSTER}`;
  }

  get client(): TestClient {
    return this.#process!.client;
  }

  get child(): Child {
    return this.#process!.child;
  }

  /** A process that has been started and nothing more. */
  spawn(retentionSec: number, ...flags: string[]): Child {
    const configFile = `${this.directory}/config.json`;
    const config = {
      main: {
        addr: "127.0.0.1:0",
        "jwt-public-key": SAMPLE_PUBLIC_KEY,
        db: `${this.directory}/job.db`,
      },
      metrics: METRICS,
      "metric-store": {
        "retention-in-memory": `${retentionSec}s`,
        "memory-cap": 1,
        "num-workers": 2,
        checkpoints: { directory: `${this.directory}/checkpoints` },
        cleanup: {
          mode: "archive",
          directory: this.archive,
          interval: "200ms",
        },
      },
    };
    Deno.writeTextFileSync(configFile, JSON.stringify(config));
    return new Child({
      command: Deno.execPath(),
      args: [...programArguments(), "-config", configFile, ...flags],
      cwd: workDirectory(),
    });
  }

  /** Resolves when it is ready. */
  async start(retentionSec: number): Promise<void> {
    const child = this.spawn(retentionSec);
    this.#process = { child, client: new TestClient("http://127.0.0.1:1") };
    const url = await child.until(
      "the line with the address",
      START_MS,
      () => /listening on (http:\/\/\S+)\n/.exec(child.output)?.[1],
    );
    await child.untilAnswers(`${url}/ready`, 200, START_MS);
    this.#process = { child, client: new TestClient(url) };
  }

  async stop(signal: Deno.Signal): Promise<void> {
    const { child, client } = this.#process!;
    this.#process = undefined;
    client.close();
    await child.stop(signal);
  }

  /** Runs `-cleanup-checkpoints` to its end. */
  async cleanUp(retentionSec: number) {
    const child = this.spawn(retentionSec, "-cleanup-checkpoints");
    const { code } = await child.ended();
    return { code, output: child.output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== undefined) await this.stop("SIGKILL");
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Everything that was acknowledged, by name and time. */
class Written {
  readonly samples = new Map<string, number>();
  #count = 0;

  /** Writes [fromSec, toSec) of every series; all of it must be stored. */
  async write(client: TestClient, fromSec: number, toSec: number) {
    const lines: string[] = [];
    for (let time = fromSec; time < toSec; time++) {
      for (let host = 0; host < HOSTS; host++) {
        for (const level of LEVELS) {
          for (const metric of ["fast", "slow"] as const) {
            if (time % METRICS[metric].frequency !== 0) continue;
            const number = ++this.#count;
            const value = number % 2 === 0 ? number : -number / 7;
            lines.push(
              `${metric},cluster=${CLUSTER},hostname=n${host}${level.tags} ` +
                `value=${value} ${time}`,
            );
            this.samples.set(keyOf(host, level.scope, metric, time), value);
          }
        }
      }
    }
    const { status, text, headers } = await client.write(lines.join("\n"));
    assert.equal(status, 200, text);
    assert.equal(headers["x-skipped"], undefined);
  }
}

function keyOf(
  host: number | string,
  scope: string,
  metric: string,
  time: number | bigint,
): string {
  return `n${host} ${scope} ${metric} ${time}`;
}

/** Judges the files: no row twice, in the right file, in order; gives all rows. */
function checkFiles(files: readonly ArchivedFile[]): Map<string, number> {
  const rows = new Map<string, number>();
  let reachedSec = -Infinity;
  for (const file of files) {
    assert.ok(file.rows.length > 0, "a file without rows");
    let before = "";
    for (const row of file.rows) {
      assert.ok(row.timestamp >= reachedSec && row.timestamp < file.limitSec);
      const key = rowKey(row);
      assert.ok(!rows.has(key), `twice: ${key}`);
      rows.set(key, row.value);
      const order = sortKey(row);
      assert.ok(before < order, `${before} before ${order}`);
      before = order;
    }
    reachedSec = file.limitSec;
  }
  return rows;
}

function rowKey(row: ArchivedRow): string {
  assert.equal(row.cluster, CLUSTER);
  assert.equal(
    Number(row.frequency),
    METRICS[row.metric as MetricName].frequency,
  );
  const parent = `${row.parent_scope ?? ""}${row.parent_scope_id ?? ""}`;
  const scope = `${row.scope}/${row.scope_id}/${parent}`;
  return keyOf(row.hostname.slice(1), scope, row.metric, row.timestamp);
}

/** Rows are sorted by this; times have the same number of digits. */
function sortKey(row: ArchivedRow): string {
  return [
    row.hostname,
    row.metric,
    row.scope,
    row.scope_id,
    row.parent_scope ?? "",
    row.parent_scope_id ?? "",
    row.timestamp,
  ].join("\0");
}

/** What the server answers with for [fromSec, toSec), by name and time. */
async function readable(client: TestClient, fromSec: number, toSec: number) {
  const asked = Array.from({ length: HOSTS }, (_, host) => host).flatMap((
    host,
  ) =>
    LEVELS.flatMap(({ query, scope }) =>
      (["fast", "slow"] as const).map((metric) => ({
        host,
        scope,
        metric,
        query: { metric, host: `n${host}`, ...query },
      }))
    )
  );
  const { status, text } = await client.query({
    cluster: CLUSTER,
    from: fromSec,
    to: toSec,
    "with-padding": false,
    queries: asked.map(({ query }) => query),
  });
  assert.equal(status, 200, text);
  const { results } = JSON.parse(text) as {
    results: { from: number; data?: (number | null)[] }[][];
  };
  const found = new Map<string, number>();
  asked.forEach(({ host, scope, metric }, i) => {
    const { from = 0, data = [] } = results[i]?.[0] ?? {};
    data.forEach((value, slot) => {
      if (value === null) return;
      const time = from + slot * METRICS[metric].frequency;
      found.set(keyOf(host, scope, metric, time), value);
    });
  });
  return found;
}

function assertSame(
  actual: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): void {
  for (const [key, value] of expected) {
    const found = actual.get(key);
    assert.ok(found !== undefined, `lost: ${key}`);
    assert.ok(Object.is(found, value), `${key} is ${found}, not ${value}`);
  }
  for (const key of actual.keys()) {
    assert.ok(expected.has(key), `never written: ${key}`);
  }
}

/** The begin of what the test writes, a whole slot of the slow metric. */
function beginSec(): number {
  const agoSec = (ROUNDS + AHEAD + 2) * ROUND_SEC;
  return Math.floor((nowSec() - agoSec) / 5) * 5;
}

/** The retention that ends at a time. */
function retentionTo(timeSec: number): number {
  return nowSec() - timeSec;
}

Deno.test("archive mode loses and doubles nothing over kill -9 at any moment", async () => {
  await using store = await Store.create();
  const random = new Random(20_261);
  const written = new Written();
  const begin = beginSec();
  let next = begin + AHEAD * ROUND_SEC;
  await store.start(retentionTo(begin - 60));
  await written.write(store.client, begin, next);
  await store.stop("SIGKILL");
  for (let round = 1; round <= ROUNDS; round++) {
    const there = new Set(archivedNames(store.files));
    const horizon = begin + round * ROUND_SEC;
    const moment = random.below(3);
    if (moment === 0) {
      // As soon as a file is begun, or has its name and nothing is free yet.
      const child = store.spawn(retentionTo(horizon));
      await child.until(
        "another file",
        START_MS,
        () =>
          archivedNames(store.files).some((name) => !there.has(name)) ||
          undefined,
      );
      await child.stop("SIGKILL");
      continue;
    }
    await store.start(retentionTo(horizon));
    const to = horizon + AHEAD * ROUND_SEC;
    await written.write(store.client, next, to);
    next = to;
    const delayMs = random.below(moment === 1 ? 30 : 300);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await store.stop("SIGKILL");
  }
  // However busy the machine was, some of it gets into a file at last.
  await store.start(retentionTo(begin + ROUNDS * ROUND_SEC));
  await store.child.until(
    "a file that is finished",
    START_MS,
    () =>
      archivedNames(store.files).some((name) => name.endsWith(".parquet")) ||
      undefined,
  );
  await store.stop("SIGKILL");
  // Everything that is not archived is in log and snapshots: a long retention shows it.
  await store.start(retentionTo(begin - 60));
  const reached = Math.max(
    ...(await readArchive(store.files)).map(({ limitSec }) => limitSec),
  );
  assert.ok(reached > begin, "some of it is archived");
  const archived = checkFiles(await readArchive(store.files));
  const inMemory = await readable(store.client, begin, next);
  for (const [key, value] of written.samples) {
    if (Number(key.split(" ").at(-1)) < reached) {
      assert.ok(Object.is(archived.get(key), value), `lost: ${key}`);
    } else {
      assert.ok(!archived.has(key), `archived too early: ${key}`);
      assert.ok(Object.is(inMemory.get(key), value), `lost: ${key}`);
    }
  }
  // What is in files must not change, however long the retention is by now.
  const late = `fast,cluster=${CLUSTER},hostname=n0 value=1 ${begin + 1}`;
  const { headers } = await store.client.write(late);
  assert.equal(headers["x-skipped"], "too-old=1");
  await store.stop("SIGTERM");

  const { code, output } = await store.cleanUp(1);
  assert.equal(code, 0, output);
  assert.match(output, /archived \d+ samples\n/);
  assertSame(checkFiles(await readArchive(store.files)), written.samples);
  assert.deepEqual(
    archivedNames(store.files).filter((name) => !name.endsWith(".parquet")),
    [],
  );
  // And nothing is left to archive, nor in memory.
  const again = await store.cleanUp(1);
  assert.match(again.output, /archived 0 samples\n/);
});

Deno.test("archive mode keeps what cannot be written, says why, and tries again", async () => {
  await using store = await Store.create();
  const written = new Written();
  const begin = beginSec();
  await Deno.mkdir(store.archive);
  // No directory can be made where a file is.
  await Deno.writeTextFile(store.files, "");
  await store.start(retentionTo(begin - 60));
  await written.write(store.client, begin, begin + ROUND_SEC);
  await store.stop("SIGTERM");
  await store.start(retentionTo(begin + ROUND_SEC + 60));
  await store.child.until(
    "the reason in the log",
    START_MS,
    () =>
      /ERR the archive cannot be written; its samples are kept in memory reason=".+" file=\S+\/old/
        .test(store.child.output) || undefined,
  );
  const metrics = () => store.client.send({ method: "GET", path: "/metrics" });
  assert.match(
    (await metrics()).text,
    /\nringstore_archive_failures_total [1-9]/,
  );
  assert.match((await metrics()).text, /\nringstore_archive_rows_total 0\n/);

  await Deno.remove(store.files);
  await store.child.until("a file", START_MS, async () => {
    const { text } = await metrics();
    return new RegExp(
      `\nringstore_archive_rows_total ${written.samples.size}\n`,
    ).test(text) || undefined;
  });
  assertSame(checkFiles(await readArchive(store.files)), written.samples);
  await store.stop("SIGTERM");
});

Deno.test("-cleanup-checkpoints leaves one snapshot of what is kept, also without archive", async () => {
  await using store = await Store.create();
  const written = new Written();
  const begin = beginSec();
  await store.start(retentionTo(begin - 60));
  await written.write(store.client, begin, begin + ROUND_SEC);
  await store.stop("SIGTERM");
  const configFile = `${store.directory}/delete.json`;
  const config = {
    main: { addr: "127.0.0.1:0", "jwt-public-key": SAMPLE_PUBLIC_KEY },
    metrics: METRICS,
    "metric-store": {
      "retention-in-memory": `${retentionTo(begin + ROUND_SEC / 2)}s`,
      "memory-cap": 1,
      "num-workers": 2,
      checkpoints: { directory: `${store.directory}/checkpoints` },
    },
  };
  await Deno.writeTextFile(configFile, JSON.stringify(config));
  const child = store.spawn(1, "-cleanup-checkpoints", "-config", configFile);
  assert.equal((await child.ended()).code, 0, child.output);
  assert.match(child.output, /cleaned up\n/);
  assert.deepEqual(archivedNames(store.files), []);
  const layout = `${store.directory}/checkpoints/ringstore/shards-2`;
  for (const shard of [0, 1]) {
    const names = archivedNames(`${layout}/${shard}`);
    assert.ok(names.some((name) => name.startsWith("snapshot.")), `${names}`);
  }
});
