/**
 * Stopping and starting again: exactly the samples of before, at their times,
 * from the log and from snapshots, under the same and under another
 * configuration.
 */
import assert from "node:assert/strict";
import { nowSec } from "../src/base/clock.ts";
import {
  answerText,
  type Ask,
  readSeries,
  snapshotNames,
  untilSnapshots,
  write,
} from "./crash/answers.ts";
import { DurableServer, type StoreSettings } from "./crash/durable_server.ts";

const CLUSTER = "alpha";
const METRICS = {
  load: { frequency: 60, aggregation: "avg" },
  flops: { frequency: 10, aggregation: "sum" },
  power: { frequency: 7, aggregation: null },
} as const;
const SETTINGS: StoreSettings = { metrics: METRICS };
/** A snapshot as soon as anything was written. */
const WITH_SNAPSHOTS: StoreSettings = {
  metrics: METRICS,
  store: { "checkpoint-interval": "1s" },
  checkpoints: { "max-wal-size": 1 },
};
/** Far enough back for runs with gaps, well within 48 hours. */
const START_SEC = nowSec() - 40 * 3600;

function line(
  metric: string,
  tags: string,
  value: number,
  time: number,
): string {
  return `${metric},cluster=${CLUSTER},${tags} value=${value} ${time}`;
}

/** The contract's standard example, with times counted from `START_SEC`. */
const EXAMPLE = [
  line("load", "hostname=h1", 1, START_SEC + 1000),
  line("load", "hostname=h1", 2, START_SEC + 1060),
  line("load", "hostname=h1", 4, START_SEC + 1180),
];

/** Runs of every kind: full pages, gaps within and between runs, late ones, levels. */
function variedLines(): string[] {
  const lines = [...EXAMPLE];
  for (let i = 0; i < 1300; i++) {
    const time = START_SEC + 20_000 + i * 10 + (i % 3);
    lines.push(line("flops", "hostname=full", i / 3, time));
  }
  for (const slot of [0, 1, 63, 64, 65, 200, 511, 512, 900, 5000]) {
    lines.push(
      line("power", "hostname=gaps", slot + 0.25, START_SEC + slot * 7 + 2),
    );
  }
  // Backwards: each sample is late, and opens or fills an earlier run.
  for (let i = 700; i > 0; i -= 7) {
    lines.push(line("power", "hostname=late", i, START_SEC + i * 40 + i % 5));
  }
  for (let i = 0; i < 90; i++) {
    const time = START_SEC + 60_000 + i * 60;
    for (const id of ["0", "1"]) {
      lines.push(
        line("load", `hostname=deep,type=core,type-id=${id}`, i, time),
      );
      lines.push(
        line(
          "load",
          `hostname=deep,type=core,type-id=${id},stype=fs,stype-id=/x`,
          -i / 7,
          time + 3,
        ),
      );
    }
  }
  return lines;
}

/** Windows on and off every grid, wide and narrow. */
function asks(): Ask[] {
  const hosts: Omit<Ask, "from" | "to">[] = [
    { cluster: CLUSTER, host: "h1", metric: "load" },
    { cluster: CLUSTER, host: "full", metric: "flops" },
    { cluster: CLUSTER, host: "gaps", metric: "power" },
    { cluster: CLUSTER, host: "late", metric: "power" },
    { cluster: CLUSTER, host: "deep", metric: "load" },
    {
      cluster: CLUSTER,
      host: "deep",
      metric: "load",
      type: "core",
      ids: ["0", "1"],
    },
    {
      cluster: CLUSTER,
      host: "deep",
      metric: "load",
      type: "core",
      ids: ["0", "1"],
      subtype: "fs",
      subids: ["/x"],
    },
  ];
  const windows = [
    [0, 70_000],
    [900, 1500],
    [1015, 1500],
    [1000, 1180],
    [1031, 1241],
    [20_007, 21_003],
    [25_118, 33_333],
    [60_001, 63_007],
  ];
  return hosts.flatMap((host) =>
    windows.map(([from, to]) => ({
      ...host,
      from: START_SEC + from!,
      to: START_SEC + to!,
    }))
  );
}

/** What clients see: all answers and the dump of all buffers. */
async function seen(server: DurableServer): Promise<string[]> {
  const texts: string[] = [];
  for (const ask of asks()) texts.push(await answerText(server, ask));
  const dump = await server.client.send({ method: "GET", path: "/api/debug/" });
  assert.equal(dump.status, 200, dump.text);
  return [...texts, sorted(dump.text)];
}

/** JSON with sorted keys: the order of hosts and levels means nothing. */
function sorted(json: string): string {
  return JSON.stringify(
    JSON.parse(json),
    (_key, value) =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(
          Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
        )
        : value,
  );
}

Deno.test("a restart changes no answer, from the log, a snapshot, or both, ever again", async (t) => {
  await using server = await DurableServer.create();
  await server.start(SETTINGS);
  await write(server, variedLines());
  const before = await seen(server);
  await t.step("from the log", async () => {
    await server.restart(SETTINGS);
    assert.deepEqual(await seen(server), before);
  });
  await t.step("from the log a second time", async () => {
    await server.restart(WITH_SNAPSHOTS);
    assert.deepEqual(await seen(server), before);
  });
  let snapshots: (string | undefined)[] = [];
  await t.step("from snapshots", async () => {
    snapshots = await untilSnapshots(server, [0, 1], 2);
    await server.restart(SETTINGS);
    assert.deepEqual(await seen(server), before);
  });
  await t.step("new samples go on on the grid of before", async () => {
    await write(server, [line("load", "hostname=h1", 5, START_SEC + 1240)]);
    const ask = {
      cluster: CLUSTER,
      host: "h1",
      metric: "load",
      from: START_SEC,
      to: START_SEC + 2000,
    };
    assert.deepEqual((await readSeries(server, ask))?.data, [1, 2, null, 4, 5]);
  });
  const after = await seen(server);
  await t.step("from a snapshot and the log", async () => {
    await server.restart(WITH_SNAPSHOTS);
    assert.deepEqual(await seen(server), after);
  });
  await t.step("from a snapshot of what was restored", async () => {
    await write(server, [
      line("flops", "hostname=other", 1, START_SEC),
      line("flops", "hostname=another", 1, START_SEC),
      line("flops", "hostname=third", 1, START_SEC),
    ]);
    const last = await seen(server);
    await untilSnapshots(server, [0, 1], 2, snapshots);
    await server.kill();
    await server.start(SETTINGS);
    assert.deepEqual(await seen(server), last);
    await server.restart(SETTINGS);
    assert.deepEqual(await seen(server), last);
  });
});

Deno.test("a changed frequency converts what the log and a snapshot hold", async (t) => {
  const ask = {
    cluster: CLUSTER,
    host: "h1",
    metric: "load",
    from: START_SEC,
    to: START_SEC + 36_000,
  };
  const withFrequency = (settings: StoreSettings, frequency: number) => ({
    ...settings,
    metrics: { load: { frequency, aggregation: null } },
  });
  for (const source of ["log", "snapshot"]) {
    await t.step(`from the ${source}, coarser and finer`, async () => {
      await using server = await DurableServer.create();
      const settings = source === "log" ? SETTINGS : WITH_SNAPSHOTS;
      await server.start(withFrequency(settings, 10));
      const lines = Array.from(
        { length: 600 },
        (_, i) => line("load", "hostname=h1", i, START_SEC + 10 * i),
      );
      await write(server, lines);
      const untilSnapshot = (before?: string) =>
        server.child.until("a snapshot", 20_000, () => {
          const name = newestSnapshot(server);
          return name === before ? undefined : name;
        });
      const first = source === "log" ? undefined : await untilSnapshot();
      await server.restart(withFrequency(settings, 60));
      // Slot j reaches from 30 s before its nominal time to 29 s after it.
      const coarse = Array.from({ length: 100 }, (_, j) => 6 * j + 2);
      coarse.push(599);
      let entry = await readSeries(server, ask);
      assert.deepEqual(entry?.data, coarse);
      assert.equal(entry?.from, START_SEC);
      await write(server, [
        line("load", "hostname=h1", -1, START_SEC + 60 * 101),
      ]);
      await server.restart(withFrequency(settings, 60));
      entry = await readSeries(server, ask);
      assert.deepEqual(entry?.data, [...coarse, -1]);
      if (source === "log") return;
      // Of what was made coarser; the one before still has all samples.
      await untilSnapshot(first);
      await server.restart(withFrequency(settings, 20));
      entry = await readSeries(server, ask);
      assert.deepEqual(
        entry?.data,
        [...coarse, -1].flatMap((value) => [value, null, null]).slice(0, -2),
      );
    });
  }
});

/** The newest snapshot of the shard that has any: there is one host. */
function newestSnapshot(server: DurableServer): string | undefined {
  return [0, 1].flatMap((shard) =>
    snapshotNames(server.shardDirectory(2, shard))
  ).sort().at(-1);
}

Deno.test("a changed number of workers keeps everything and clears up", async (t) => {
  await using server = await DurableServer.create();
  await server.start(SETTINGS);
  await write(server, variedLines());
  let before = await seen(server);
  let value = 0;
  for (const workers of [3, 1, 4]) {
    await t.step(`with ${workers}`, async () => {
      const settings = {
        ...SETTINGS,
        store: { "num-workers": workers },
      };
      await server.restart(settings);
      assert.deepEqual(await seen(server), before);
      const host = `hostname=new${workers}`;
      await write(server, [line("load", host, ++value, START_SEC)]);
      before = await seen(server);
      await server.child.until(
        "the end of the old directories",
        20_000,
        () => {
          const names = [...Deno.readDirSync(`${server.checkpoints}/ringstore`)]
            .filter((entry) => entry.isDirectory);
          return names.length === 1 || undefined;
        },
      );
      await server.kill();
      await server.start(settings);
      assert.deepEqual(await seen(server), before);
    });
  }
});

Deno.test("a shorter retention hides what it no longer covers after a restart", async () => {
  await using server = await DurableServer.create();
  await server.start(SETTINGS);
  const now = nowSec();
  const times = Array.from({ length: 200 }, (_, i) => now - 200 * 60 + i * 60);
  await write(
    server,
    times.map((time, i) => line("load", "hostname=h1", i, time)),
  );
  await write(server, [line("load", "hostname=old", 1, now - 7 * 3600)]);
  const settings = { ...SETTINGS, store: { "retention-in-memory": "1h" } };
  await server.restart(settings);
  const ask = {
    cluster: CLUSTER,
    host: "h1",
    metric: "load",
    from: now - 90_000,
    to: now + 60,
  };
  const entry = await readSeries(server, ask);
  const readSec = nowSec();
  assert.ok(entry !== undefined && entry.from >= now - 3600);
  assert.ok(entry.from <= readSec - 3600 + 120);
  assert.deepEqual(
    entry.data,
    times.flatMap((time, i) => time >= entry.from ? [i] : []),
  );
  assert.equal(await readSeries(server, { ...ask, host: "old" }), undefined);
});

Deno.test("what was freed stays away after a restart, and what came since stays", async () => {
  for (const settings of [SETTINGS, WITH_SNAPSHOTS]) {
    await using server = await DurableServer.create();
    await server.start(settings);
    await write(server, variedLines());
    const freed = await server.client.send({
      method: "POST",
      path: `/api/free/?to=${START_SEC + 2_000_000}`,
      body: JSON.stringify([[CLUSTER, "full"], [CLUSTER, "h1"]]),
    });
    assert.equal(freed.status, 200, freed.text);
    await write(server, [
      line("load", "hostname=h1", 42, START_SEC + 1100),
    ]);
    const before = await seen(server);
    await server.kill();
    await server.start(settings);
    assert.deepEqual(await seen(server), before);
    await server.restart(settings);
    assert.deepEqual(await seen(server), before);
    const ask = {
      cluster: CLUSTER,
      host: "full",
      metric: "flops",
      from: START_SEC,
      to: START_SEC + 90_000,
    };
    assert.equal(await readSeries(server, ask), undefined);
    const entry = await readSeries(server, {
      ...ask,
      host: "h1",
      metric: "load",
    });
    assert.deepEqual([entry?.from, entry?.data], [START_SEC + 1100, [42]]);
  }
});
