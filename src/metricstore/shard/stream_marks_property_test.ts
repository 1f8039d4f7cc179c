/**
 * Marks against a naive model: hosts in a few layouts that follow each other, kills
 * at any point, directories of several layouts on disk at once. Whatever happens,
 * every message is applied to every host once and in order.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { shardOf } from "../transport/messages.ts";
import { ProgressByStream } from "../transport/stream_progress.ts";
import {
  MARKS_SECTION,
  readFacts,
  readMarks,
  StreamMarks,
} from "./stream_marks.ts";

const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`);
const STREAM = "s";

/** A shard's directory: sections of its snapshot, and marks logged since. */
interface Directory {
  readonly sections: (readonly [kind: number, payload: Uint8Array])[];
  readonly logged: number[];
}

/** Directories by "shard/shards". */
type Disk = Map<string, Directory>;

interface Life {
  readonly shards: number;
  /** Which shards write a first snapshot before anything else, by their number. */
  readonly converts: readonly boolean[];
  /** Messages that the life works on, and how many new ones after those that come again. */
  readonly messages: number;
  /** Of the last message: which shards have logged it at the kill. */
  readonly last: readonly boolean[];
  /** Shards that write another snapshot at the end. */
  readonly saves: readonly boolean[];
}

const life: fc.Arbitrary<Life> = fc.record({
  shards: fc.integer({ min: 1, max: 5 }),
  converts: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  messages: fc.nat(4),
  last: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  saves: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
});

class Model {
  readonly #disk: Disk = new Map();
  /** Hosts that a message has lines of. */
  readonly #targets: readonly (readonly string[])[];
  /** By host: the messages applied to it, in order. */
  readonly #applied = new Map<string, number[]>();
  /** Everything up to it is acknowledged. */
  #acknowledged = 0;

  constructor(targets: readonly (readonly string[])[]) {
    this.#targets = targets;
  }

  live({ shards, converts, messages, last, saves }: Life): void {
    const marks = Array.from(
      { length: shards },
      (_, shard) => this.#start(shard, shards),
    );
    const layouts = new Set([...this.#disk.keys()].map(shardsOf));
    if (layouts.size > 1) {
      for (const [shard, one] of marks.entries()) {
        if (converts[shard]) this.#save(shard, shards, one);
      }
      const isDone = marks.every((_, shard) => converts[shard]);
      for (const name of isDone ? [...this.#disk.keys()] : []) {
        if (shardsOf(name) !== shards) this.#disk.delete(name);
      }
    }
    // What is outstanding comes again, one message a batch.
    const first = this.#acknowledged + 1;
    const end = Math.min(first + messages, this.#targets.length);
    for (let sequence = first; sequence < end; sequence++) {
      const isLast = sequence === end - 1;
      for (const [shard, one] of marks.entries()) {
        if (isLast && !last[shard]) continue;
        this.#take(shard, shards, one, sequence);
      }
      if (!isLast) this.#acknowledged = sequence;
    }
    for (const [shard, one] of marks.entries()) {
      if (saves[shard]) this.#save(shard, shards, one);
    }
  }

  /** Every message that is left is applied. */
  finish(): void {
    this.live({
      shards: 2,
      converts: [true, true],
      messages: this.#targets.length,
      last: [true, true],
      saves: [],
    });
  }

  check(): void {
    for (const host of HOSTS) {
      const expected = this.#targets.flatMap((hosts, sequence) =>
        sequence > 0 && hosts.includes(host) ? [sequence] : []
      );
      assert.deepEqual(this.#applied.get(host) ?? [], expected, host);
    }
  }

  #start(shard: number, shards: number): StreamMarks {
    const known = new ProgressByStream();
    const own = directory(this.#disk, shard, shards);
    for (const [name, { sections, logged }] of this.#disk) {
      const writer = { shard: Number(name.split("/")[0]), shards: 0 };
      writer.shards = shardsOf(name);
      // Of its own layout a shard reads nothing but its own directory.
      if (writer.shards === shards && writer.shard !== shard) continue;
      for (const [kind, payload] of sections) {
        if (kind === MARKS_SECTION) readMarks(payload, writer, known);
        else readFacts(payload, known);
      }
      for (const sequence of logged) known.add(STREAM, { ...writer, sequence });
    }
    assert.ok(own !== undefined);
    const marks = new StreamMarks({ shard, shards });
    marks.restore(known);
    return marks;
  }

  #save(shard: number, shards: number, marks: StreamMarks): void {
    const { sections, logged } = directory(this.#disk, shard, shards);
    sections.length = logged.length = 0;
    for (const [kind, payload] of marks.sections()) {
      sections.push([kind, payload.slice()]);
    }
  }

  /** As a shard does it: lines, then the mark, which is logged with them. */
  #take(
    shard: number,
    shards: number,
    marks: StreamMarks,
    sequence: number,
  ): void {
    const mark = { stream: STREAM, sequence };
    const own = this.#targets[sequence]!.filter((host) =>
      shardOf("", "c", host, shards) === shard
    );
    // The end of a batch comes only to those that got lines of it.
    if (own.length === 0 || marks.covers(mark)) return;
    const wasApplied = marks.appliedHosts(mark);
    for (const host of own) {
      if (wasApplied?.("", "c", host)) continue;
      const applied = this.#applied.get(host) ?? [];
      applied.push(sequence);
      this.#applied.set(host, applied);
    }
    directory(this.#disk, shard, shards).logged.push(sequence);
    marks.reach(mark);
  }
}

function directory(disk: Disk, shard: number, shards: number): Directory {
  const name = `${shard}/${shards}`;
  let found = disk.get(name);
  if (found === undefined) {
    found = { sections: [], logged: [] };
    disk.set(name, found);
  }
  return found;
}

function shardsOf(name: string): number {
  return Number(name.split("/")[1]);
}

Deno.test("StreamMarks have every message applied once to every host, whatever kills and numbers of shards follow each other", () => {
  const targets = fc.array(fc.subarray(HOSTS), { minLength: 2, maxLength: 12 });
  fc.assert(
    fc.property(targets, fc.array(life, { maxLength: 8 }), (hosts, lives) => {
      const model = new Model([[], ...hosts, HOSTS]);
      for (const one of lives) model.live(one);
      model.finish();
      model.check();
    }),
    { numRuns: fuzzRuns(500) },
  );
});
