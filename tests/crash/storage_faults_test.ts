/**
 * Log, snapshots and recovery over files that fail, against a model.
 *
 * Strategy: seeded random sequences of batches, syncs, snapshots, full disks,
 * kills and power cuts. After every restart:
 * - a kill took nothing that a `commit` had reported as written,
 * - a power cut took nothing that a `sync` had reported as synced,
 * - nothing is there that was never sent,
 * - writing goes on as soon as nothing fails any more.
 *
 * One thing is not promised, because no system call tells: after a failed sync, a
 * kill before the snapshot that heals it (or a flipped bit in that snapshot), and
 * then a power cut, the samples of that sync may be gone.
 */
import assert from "node:assert/strict";
import { Random } from "../../benches/support/random.ts";
import {
  recoverShard,
  type RecoveryReport,
  type ShardFiles,
  tidyAfterSnapshot,
} from "../../src/metricstore/persist/recovery.ts";
import { isDamaged } from "../../src/metricstore/persist/segment_report.ts";
import type { SeriesEntry } from "../../src/metricstore/persist/series_dictionary.ts";
import { SnapshotWriter } from "../../src/metricstore/persist/snapshot_writer.ts";
import { StorageError } from "../../src/metricstore/persist/storage_error.ts";
import type { WalHandler } from "../../src/metricstore/persist/wal_reader.ts";
import { WalWriter } from "../../src/metricstore/persist/wal_writer.ts";
import { FaultFiles } from "../support/fault_files.ts";
import { fuzzRuns } from "../support/fuzz_runs.ts";

const RUNS = fuzzRuns(300);
const STEPS = 120;
const SERIES = 40;
const DIRECTORY = "/store/0";

/** Value by "host time". Values count up, so a later write has a larger one. */
type Samples = Map<string, number>;

function keyOf(host: string, timeSec: number): string {
  return `${host} ${timeSec}`;
}

/** A store as small as one can be: what a shard does with log and snapshots. */
class TinyShard {
  readonly samples: Samples = new Map();
  readonly writer: WalWriter;
  readonly recovered: RecoveryReport;
  readonly #shard: ShardFiles;

  constructor(files: FaultFiles) {
    this.#shard = { files, directory: DIRECTORY, shard: 0, shardCount: 1 };
    this.recovered = recoverShard(this.#shard, {
      section: (_kind, payload) => {
        const text = new TextDecoder().decode(payload);
        for (const [key, value] of JSON.parse(text) as [string, number][]) {
          this.samples.set(key, value);
        }
      },
      segment: () => this.#replay(),
    });
    this.writer = new WalWriter({
      ...this.#shard,
      resume: this.recovered.resume,
      segmentBytes: 2000,
      describe: entryOf,
    });
  }

  #replay(): WalHandler {
    const hosts: string[] = [];
    return {
      series: (id, entry) => hosts[id] = entry.host,
      samples: (firstId, count, timeSec, values, at) => {
        for (let i = 0; i < count; i++) {
          const key = keyOf(hosts[firstId + i]!, timeSec);
          this.samples.set(key, values[at + i]!);
        }
      },
      free() {},
      freeSeries() {},
      mark() {},
    };
  }

  write(series: number, timeSec: number, value: number): void {
    this.samples.set(keyOf(entryOf(series).host, timeSec), value);
    this.writer.batch.append(series, timeSec, value);
  }

  /** Writes a snapshot; `between` is called between its slices. */
  snapshot(between: () => void): void {
    const segment = this.writer.cut();
    const owner = { shard: 0, shardCount: 1, segment };
    const { files } = this.#shard;
    const snapshot = new SnapshotWriter(files, DIRECTORY, owner);
    try {
      const all = [...this.samples];
      for (let at = 0; at < all.length; at += 50) {
        const slice = JSON.stringify(all.slice(at, at + 50));
        snapshot.section(1, new TextEncoder().encode(slice));
        between();
      }
      snapshot.finish();
    } catch (error) {
      snapshot.abort();
      throw error;
    }
    this.writer.snapshotFinished(segment);
    tidyAfterSnapshot(this.#shard, this.recovered);
  }
}

function entryOf(series: number): SeriesEntry {
  return {
    instance: "",
    cluster: "c",
    host: `host-${series}`,
    type: "",
    typeId: "",
    subtype: "",
    subtypeId: "",
    metric: "m",
    frequencySec: 60,
  };
}

/** Thrown where a process stops in the middle of something. */
class Stopped extends Error {}

class Sequence {
  readonly files: FaultFiles;
  readonly #random: Random;
  readonly #sent = new Map<number, string>();
  /** What a kill must not take, and what a power cut must not take. */
  #written: Samples = new Map();
  #synced: Samples = new Map();
  #shard: TinyShard;
  #value = 0;
  #timeSec = 1000;
  /** A failed sync whose snapshot was never made. */
  #isInDoubt = false;
  #hadPowerCut = false;
  /** One of the two snapshots that are kept may be damaged at a time. */
  #snapshotsSinceDamage = 2;

  constructor(seed: number) {
    this.files = new FaultFiles(seed);
    this.#random = new Random(seed * 7919 + 1);
    this.#shard = new TinyShard(this.files);
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      try {
        this.#step();
      } catch (error) {
        if (error instanceof Stopped) this.#restart();
        else if (!(error instanceof StorageError)) throw error;
      }
    }
    this.files.heal();
    this.#batch();
    this.#restart();
  }

  #step(): void {
    const dice = this.#random.below(100);
    if (dice < 60) this.#batch();
    else if (dice < 75) this.#sync();
    else if (dice < 82) this.#snapshot();
    else if (dice < 90) this.#changeFaults();
    else if (dice < 93) throw new Stopped();
    else if (dice < 96) this.files.heal();
  }

  #batch(): void {
    const batch: Samples = new Map();
    if (this.#random.below(3) > 0) this.#timeSec += 60;
    const first = this.#random.below(SERIES);
    const count = 1 + this.#random.below(SERIES - first);
    for (let series = first; series < first + count; series++) {
      const value = ++this.#value;
      const key = keyOf(entryOf(series).host, this.#timeSec);
      this.#sent.set(value, key);
      batch.set(key, value);
      this.#shard.write(series, this.#timeSec, value);
    }
    const canFail = Object.values(this.files.rates).some((rate) => rate > 0) ||
      this.files.capacityBytes < Infinity;
    const writes = this.files.writes;
    const { segment, offset } = this.#shard.writer.position;
    try {
      this.#shard.writer.commit();
    } catch (error) {
      assert.ok(canFail, `commit failed without a fault: ${error}`);
      throw error;
    }
    const after = this.#shard.writer.position;
    if (!canFail && offset > 0 && after.segment === segment) {
      assert.equal(this.files.writes, writes + 1, "one write call a batch");
    }
    for (const [key, value] of batch) this.#written.set(key, value);
  }

  #sync(): void {
    this.#shard.writer.sync();
    if (!this.#isInDoubt) this.#synced = new Map(this.#written);
  }

  #snapshot(): void {
    const before = new Map(this.#written);
    this.#shard.snapshot(() => {
      if (this.#random.below(3) === 0) this.#batch();
      if (this.#random.below(60) === 0) throw new Stopped();
    });
    this.#isInDoubt = false;
    this.#snapshotsSinceDamage++;
    this.#synced = before;
    assert.equal(this.#shard.writer.needsSnapshot, false);
  }

  #changeFaults(): void {
    const { rates } = this.files;
    const kinds = Object.keys(rates) as (keyof typeof rates)[];
    rates[kinds[this.#random.below(kinds.length)]!] = this.#random.below(400);
    if (this.#random.below(3) > 0) return;
    const used = this.files.list(DIRECTORY)
      .reduce(
        (sum, name) => sum + this.files.bytesOf(`${DIRECTORY}/${name}`).length,
        0,
      );
    this.files.capacityBytes = used + this.#random.below(3000);
  }

  /** What it held is still in the snapshot before and in the log since. */
  #damageNewestSnapshot(): void {
    if (this.#snapshotsSinceDamage < 2) return;
    this.#snapshotsSinceDamage = 0;
    // What stands in for it may be segments whose sync had failed.
    this.#synced = new Map();
    this.#isInDoubt = true;
    const name = this.files.list(DIRECTORY)
      .findLast((name) => /^snapshot\.\d+$/.test(name));
    if (name === undefined) return;
    const bytes = this.files.bytesOf(`${DIRECTORY}/${name}`);
    bytes[this.#random.below(bytes.length)]! ^= 1 << this.#random.below(8);
  }

  #restart(): void {
    const isPowerCut = this.#random.below(2) === 0;
    this.#isInDoubt ||= this.#shard.writer.needsSnapshot;
    if (isPowerCut) this.files.cutPower();
    else this.files.kill();
    if (!isPowerCut && !this.#hadPowerCut) this.#damageNewestSnapshot();
    this.#shard = new TinyShard(this.files);
    const { samples, recovered } = this.#shard;
    for (const [key, value] of samples) {
      assert.equal(this.#sent.get(value), key, "only what was sent is there");
    }
    const promised = isPowerCut ? this.#synced : this.#written;
    for (const [key, value] of promised) {
      const found = samples.get(key) ?? 0;
      const text = `${key}: ${found} instead of ${value}`;
      assert.ok(
        found >= value,
        `${
          isPowerCut ? "power cut" : "kill"
        }: ${text}, case ${recovered.plan.letter}`,
      );
    }
    this.#hadPowerCut ||= isPowerCut;
    if (!this.#hadPowerCut) {
      assert.deepEqual(recovered.segments.filter(isDamaged), []);
    }
    // From here on what was found is what is promised.
    this.#written = new Map(samples);
    if (isPowerCut && !recovered.resume.needsSnapshot) {
      this.#synced = new Map(samples);
    }
  }
}

Deno.test("WalWriter keeps its promises through seeded faults, kills and power cuts", () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const sequence = new Sequence(seed);
    try {
      sequence.run();
    } catch (error) {
      const { faults } = sequence.files;
      throw new Error(`seed ${seed}, after ${faults.join(", ")}`, {
        cause: error,
      });
    }
  }
});
