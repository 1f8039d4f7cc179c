/**
 * A shard: the worker thread that owns the hosts which hash to it. It blocks on
 * its bell and has no event loop while it runs: a wait on shared memory wakes in
 * half the time of a message (32 µs against 53 µs), and nothing it does is
 * asynchronous.
 *
 * Order of work: lines from other shards, then one frame of the main thread, then
 * a slice of house-keeping.
 */
import { ArchiveBounds, slotSlackSec } from "./archive_bounds.ts";
import { monotonicMs, nowSec } from "../../base/clock.ts";
import { LastFew } from "../../base/last_few.ts";
import { ClientError } from "../../base/errors.ts";
import { createIdleCollection, LOOK_MS } from "../../base/idle_collection.ts";
import { Turns } from "../query/turns.ts";
import { Bell } from "../transport/bell.ts";
import {
  type Ask,
  AUX_END,
  KIND,
  PART_FIRST,
  type Reply,
} from "../transport/messages.ts";
import { RingConsumer } from "../transport/ring.ts";
import { ArchiveRows } from "./archive_rows.ts";
import { ClusterEvents } from "./cluster_events.ts";
import { InstanceCounts } from "../transport/instance_counts.ts";
import { MemoryGuard } from "./memory_guard.ts";
import { RetentionSweep } from "./retention_sweep.ts";
import { SeriesRegistry } from "../catalog/series_registry.ts";
import { ShardPersistence } from "./shard_persistence.ts";
import { ShardOutbox } from "./shard_outbox.ts";
import { ShardQuestions } from "./shard_questions.ts";
import { ShardSelections } from "./shard_selections.ts";
import { StatsBlock } from "../transport/shard_stats.ts";
import type { ShardStart } from "../transport/shard_wiring.ts";
import { StreamMarks } from "./stream_marks.ts";
import { ShardWrites } from "./shard_writes.ts";
import { type HostName, ProtectedHosts } from "./protected_hosts.ts";

/** Questions that wait in the shard's own memory; further ones wait in its inbox. */
const ASKED_CHARS_MAX = 16 << 20;
/** A question serves waiting work for no longer than this. */
const TURN_MS = 10;

/** Longer questions are not kept when they are answered. */
const KEPT_CHARS = 4096;

interface AskedQuestion {
  readonly id: number;
  readonly text: string;
}

/** Losses of instances are told this seldom. */
const LOSS_TOLD_SEC = 60;
/** How long an idle shard sleeps before it looks whether house-keeping is due. */
const IDLE_MS = 1000;

/** Each second so many open pages are looked at: some 3 ms where all of them are sealed. */
const SEAL_EVERY_MS = 1000;
const SEAL_LOOKS = 2048;

export class Shard {
  readonly #start: ShardStart;
  readonly #shard: number;
  readonly #bell: Bell;
  readonly #fromMain: RingConsumer;
  readonly #fromShard: readonly RingConsumer[];
  readonly #registry: SeriesRegistry;
  readonly #outbox: ShardOutbox;
  readonly #persistence: ShardPersistence | undefined;
  readonly #writes: ShardWrites;
  readonly #questions: ShardQuestions;
  readonly #selections: ShardSelections;
  readonly #sweep: RetentionSweep;
  readonly #protectedHosts: ProtectedHosts;
  readonly #guardian: MemoryGuard;
  readonly #stats: StatsBlock;
  readonly #clusterEvents: ClusterEvents;
  readonly #decoder = new TextDecoder();
  readonly #collectIfIdle = createIdleCollection();
  #lookedMs = 0;
  #lossToldSec = -Infinity;
  #askText = "";
  /** Questions that came while another one was being answered, in order. */
  readonly #asked: AskedQuestion[] = [];
  #askedChars = 0;
  /** So that the code compiled for them stays. */
  readonly #keptAsks = new LastFew<Ask>();
  readonly #keptReplies = new LastFew<Reply>();
  #isClosed = false;
  #sealedMs = 0;

  /** Takes back what is on disk, which may take seconds. */
  constructor(start: ShardStart) {
    const { shard, wiring } = start;
    const { options } = wiring;
    this.#start = start;
    this.#shard = shard;
    this.#bell = new Bell(wiring.shardBells[shard]!);
    this.#fromMain = new RingConsumer(wiring.toShard[shard]!);
    this.#fromShard = wiring.between.map((rings) =>
      new RingConsumer(rings[shard]!)
    );
    const stats = this.#stats = new StatsBlock(wiring.stats[shard]!);
    const registry = this.#registry = new SeriesRegistry(
      options,
      new Int32Array(wiring.shared),
      new InstanceCounts(wiring.instances),
    );
    const outbox = this.#outbox = new ShardOutbox(
      start,
      () => this.#takeForwards(),
    );
    const clusterEvents = this.#clusterEvents = new ClusterEvents(
      registry.tree,
      outbox,
    );
    const { retentionSec } = options;
    const bounds = options.archive && new ArchiveBounds(
      options.archive.reachedSec ?? -Infinity,
      slotSlackSec(options.metrics),
    );
    const guard = this.#guardian = new MemoryGuard(
      registry,
      options.memoryCapBytes,
      options.shards,
      bounds && { bounds, want: (limitSec) => this.#wantArchive(limitSec) },
      (instance, horizonSec) => this.#tellLoss(instance, horizonSec),
    );
    const persistence = this.#persistence = this.#restore();
    // The oldest time that writers may still write: neither expired nor given up.
    const horizon = (now: number, instance: string) =>
      Math.max(
        retentionSec === 0 ? -Infinity : now - retentionSec,
        guard.horizonOf(instance),
      );
    const protectedHosts = this.#protectedHosts = new ProtectedHosts(
      options.protectsNodes === true,
    );
    this.#writes = new ShardWrites({
      start,
      registry,
      outbox,
      stats,
      clusterEvents,
      persistence,
      marks: persistence?.marks ??
        new StreamMarks({ shard, shards: options.shards }),
      horizon: (now, instance) =>
        Math.max(horizon(now, instance), bounds?.refusedBeforeSec ?? -Infinity),
      othersWait: () => this.#othersWait(),
    });
    // Readers also see what running jobs keep alive.
    const readable = (now: number, host: HostName) =>
      protectedHosts.has(host)
        ? guard.horizonOf(host.instance)
        : horizon(now, host.instance);
    this.#questions = new ShardQuestions({
      engine: options,
      registry,
      outbox,
      stats,
      persistence,
      horizon: readable,
      archive: new ArchiveRows(registry, outbox, bounds),
      turns: new Turns(() => this.#serveOthers()),
    });
    this.#selections = new ShardSelections(
      start,
      registry,
      stats,
      readable,
    );
    this.#sweep = new RetentionSweep(
      registry,
      retentionSec,
      protectedHosts,
      bounds,
    );
    this.#publish();
    outbox.restored();
  }

  #restore(): ShardPersistence | undefined {
    const { shard, wiring } = this.#start;
    const { archive, persistence, shards, protectsNodes } = wiring.options;
    if (persistence === undefined) return undefined;
    // Samples that are not archived yet must come back, and those that a running job
    // may need. All others come with them, since the first sample of a run says where
    // its slots lie.
    const retentionSec = archive === undefined && protectsNodes !== true
      ? wiring.options.retentionSec
      : 0;
    return new ShardPersistence({
      options: persistence,
      owner: { shard, shards },
      registry: this.#registry,
      retentionSec,
      directories: wiring.directories,
      outbox: this.#outbox,
      notify: (level, message, fields) =>
        this.#outbox.notice({ level, message, fields: { shard, ...fields } }),
      onProgress: (samples) => {
        this.#stats.set("restoredSamples", samples);
        return this.#guardian.evict(nowSec());
      },
    });
  }

  /** Works until the main thread says "close". Blocks the thread. */
  run(): void {
    // Series that are being restored are never refused.
    this.#registry.hasRoomFor = (owner) => this.#guardian.hasRoomFor(owner);
    while (!this.#isClosed) {
      const seen = this.#bell.count();
      let worked = this.#takeForwards() || this.#answerNext() ||
        this.#takeFromMain();
      worked = this.#resumeWrites() || worked;
      const isSweeping = this.#sweep.slice(nowSec());
      const isShort = this.#guardian.evict(nowSec());
      this.#sealLeft(isShort);
      const isSaving = this.#tick();
      const isSelecting = this.#selections.work(worked);
      this.#writes.tidyKeys((ended) => this.#selections.forget(ended));
      if (isSweeping || isShort || isSaving || worked) this.#publish();
      else if (!isSelecting) {
        this.#collectGarbage();
        this.#bell.wait(seen, this.#idleMs());
      }
    }
  }

  /** Compresses pages that late samples opened, a few at a time, more often when memory is short. */
  #sealLeft(isShort: boolean): void {
    const nowMs = monotonicMs();
    if (!isShort && nowMs - this.#sealedMs < SEAL_EVERY_MS) return;
    this.#sealedMs = nowMs;
    this.#registry.table.pages.sealLeft(SEAL_LOOKS);
  }

  #collectGarbage(): void {
    const nowMs = monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#collectIfIdle();
  }

  #tick(): boolean {
    if (this.#start.wiring.options.persistence?.onlyCleanUp) return false;
    return this.#persistence?.tick() ?? false;
  }

  /** Frees what is due. A server that goes on writes its snapshot in slices. */
  #cleanUp(): void {
    this.#sweep.pass(nowSec());
    if (this.#start.wiring.options.persistence?.onlyCleanUp) {
      this.#persistence?.snapshotNow();
    } else this.#persistence?.wantSnapshot();
  }

  /** Now and then, since it may go on for long. */
  #tellLoss(instance: string, horizonSec: number): void {
    const now = nowSec();
    if (now < this.#lossToldSec + LOSS_TOLD_SEC) return;
    this.#lossToldSec = now;
    this.#outbox.notice({
      level: "warn",
      message:
        "an instance is above its share of memory-cap and loses its oldest samples",
      fields: { shard: this.#shard, instance, lostBeforeSec: horizonSec },
    });
  }

  #wantArchive(limitSec: number): void {
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setFloat64(0, limitSec, true);
    this.#outbox.send(KIND.ARCHIVE_WANTED, 0, 0, payload);
  }

  #idleMs(): number {
    return Math.min(IDLE_MS, this.#persistence?.idleMs ?? IDLE_MS);
  }

  #takeForwards(): boolean {
    let worked = false;
    for (let from = 0; from < this.#fromShard.length; from++) {
      if (from === this.#shard) continue;
      const ring = this.#fromShard[from]!;
      while (ring.next()) {
        worked = true;
        this.#guard(ring, () => {
          this.#admit();
          this.#writes.takeForward(ring);
        });
        if (ring.release()) this.#outbox.shardBell(from).ring();
      }
    }
    return worked;
  }

  /** Whether anything has come that the work under way keeps waiting. */
  #othersWait(): boolean {
    return this.#fromMain.hasMore || this.#asked.length > 0 ||
      this.#fromShard.some((ring, from) =>
        from !== this.#shard && ring.hasMore
      );
  }

  /** Goes on with a part that gave its turn to others. */
  #resumeWrites(): boolean {
    return this.#writes.resume((id, error) =>
      this.#outbox.reply(id, replyOf(error))
    );
  }

  #takeFromMain(): boolean {
    if (!this.#takeFrame()) return false;
    this.#answerNext();
    return true;
  }

  /** Takes a part of a batch in, or a question, which then waits to be answered. */
  #takeFrame(): boolean {
    const ring = this.#fromMain;
    if (this.#writes.isFull || !ring.next()) return false;
    if (ring.kind === KIND.WRITE) {
      this.#guard(ring, () => {
        // The other parts of a batch that was refused are passed over.
        if ((ring.aux & PART_FIRST) !== 0) this.#admit();
        this.#writes.takePart(ring);
      });
    } else this.#noteQuestion(ring);
    if (ring.release()) this.#outbox.mainBell.ring();
    return true;
  }

  /**
   * A question is being answered and gives a turn: batches get in between. Nothing is
   * freed meanwhile, since the question under way holds numbers of series and runs.
   */
  #serveOthers(): void {
    const endMs = monotonicMs() + TURN_MS;
    do {
      // Memory is made room for between questions only.
      if (!this.#guardian.hasRoomForSeries) return;
      const worked = this.#takeForwards() ||
        (this.#askedChars < ASKED_CHARS_MAX && this.#takeFrame()) ||
        this.#resumeWrites();
      if (!worked) return;
    } while (monotonicMs() < endMs);
  }

  /** Throws where a batch would take memory that only the archive can give back. */
  #admit(): void {
    if (!this.#guardian.refusesWrites) return;
    throw new ClientError(
      "E_OVERLOAD",
      "memory is used up until older samples are archived",
      { retryAfterSec: 1 },
    );
  }

  #noteQuestion(frame: RingConsumer): void {
    const { id } = frame;
    // The pieces of a long question come one after the other.
    const isEnd = frame.aux === AUX_END;
    this.#askText += this.#decoder.decode(frame.payload(), { stream: !isEnd });
    if (!isEnd) return;
    this.#asked.push({ id, text: this.#askText });
    this.#askedChars += this.#askText.length;
    this.#askText = "";
  }

  /** Answers the question that has waited longest, if there is one. */
  #answerNext(): boolean {
    const next = this.#asked.shift();
    if (next === undefined) return false;
    this.#askedChars -= next.text.length;
    try {
      const ask = JSON.parse(next.text) as Ask;
      if (next.text.length <= KEPT_CHARS) this.#keptAsks.keep(ask);
      this.#answer(next.id, ask);
    } catch (error) {
      this.#questions.discard();
      this.#outbox.reply(next.id, replyOf(error));
    }
    return true;
  }

  #answer(id: number, ask: Ask): void {
    if (ask.kind === "close") {
      // Batches that came before it are applied.
      while (this.#resumeWrites());
      this.#isClosed = true;
      this.#persistence?.close();
    }
    if (ask.kind === "clean-up") this.#cleanUp();
    if (ask.kind === "protect") this.#protectedHosts.set(ask.nodes);
    const reply = this.#questions.answer(id, ask);
    this.#outbox.reply(id, reply);
    if (reply.kind === "query" && reply.lengths.length === 1) {
      this.#keptReplies.keep(reply);
    }
  }

  /** One batch that goes wrong must not take the shard with it. */
  #guard(frame: RingConsumer, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#outbox.reply(frame.id, replyOf(error));
    }
  }

  #publish(): void {
    this.#clusterEvents.tell();
    const { table, tree } = this.#registry;
    this.#stats.set("series", table.seriesCount);
    this.#stats.set("hosts", tree.hostCount);
    this.#stats.set("runs", table.runCount);
    this.#stats.set("blockBytes", table.pages.pool.used);
    this.#stats.set("sampleBytes", table.sampleBytes);
    this.#stats.set("reservedBytes", table.reservedBytes);
    const horizonSec = this.#guardian.horizonOf("");
    this.#stats.set("evictedBeforeSec", Math.max(0, horizonSec));
    if (this.#persistence === undefined) return;
    this.#stats.set("logBytesTotal", this.#persistence.wal.committedBytes);
    this.#stats.set("logFailuresTotal", this.#persistence.failures);
  }
}

function replyOf(error: unknown): Reply {
  if (error instanceof ClientError) {
    return { kind: "error", code: error.code, message: error.message };
  }
  const message = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return { kind: "error", code: "E_INTERNAL", message };
}
