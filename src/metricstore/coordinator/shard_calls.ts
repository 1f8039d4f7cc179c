/**
 * Calls into the shards: the calls under way, and the loop that takes their answers.
 * Main thread only.
 */
import { Buffer } from "node:buffer";
import { monotonicMs } from "../../base/clock.ts";
import {
  ClientError,
  type ErrorCode,
  STATUS_BY_CODE,
} from "../../base/errors.ts";
import type { Wiring } from "../transport/shard_wiring.ts";
import { AnswerBlocks } from "./answer_blocks.ts";
import { LastFew } from "../../base/last_few.ts";
import { Bell, listenTo } from "../transport/bell.ts";
import {
  type Ask,
  AUX_END,
  CLUSTER_THERE,
  DONE_OF_FORWARD,
  KIND,
  type Reply,
} from "../transport/messages.ts";
import type { RingConsumer } from "../transport/ring.ts";
import type { EngineNotice, WriteReport } from "../engine/metric_engine.ts";
import { LoneQuestions } from "./lone_questions.ts";
import { ShardLink } from "./shard_link.ts";
import { UnknownMetricNotices } from "./unknown_metric_notices.ts";
import { parseWriteDone, ReportCollector } from "./write_reports.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
/** Bytes of answers that are being put together; more are refused with 503. */
const PENDING_BYTES_MAX = 1 << 30;
/** As much as shards send of an answer at a time. */
const CHUNK_BLOCK_BYTES = 256 << 10;
/** The main thread blocks no longer than this for an answer, and only when idle. */
const LINGER_MS = 0.2;
/** So long it looks again and again: to be woken takes some 50 µs. */
const SPIN_MS = 0.1;

/** An answer as one shard gave it. */
export interface ShardReply<Kind extends Reply["kind"]> {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  readonly reply: Extract<Reply, { kind: Kind }>;
}

/** A batch in the shards, or a question to one of them, without its answer. */
class Pending {
  chunks: Uint8Array<ArrayBuffer>[] = [];
  bytes = 0;
  /** The beginning of a reply whose end has not come yet. */
  replyStart: Uint8Array<ArrayBuffer>[] = [];
  readonly report: ReportCollector | undefined;
  readonly resolve: (value: Reply | WriteReport) => void;
  readonly reject: (reason: ClientError) => void;

  constructor(
    report: ReportCollector | undefined,
    resolve: (value: Reply | WriteReport) => void,
    reject: (reason: ClientError) => void,
  ) {
    this.report = report;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Messages of shards that answer no call. */
export interface ShardEvents {
  notice(notice: EngineNotice): void;
  /** A shard has taken back what was on disk. */
  restored(): void;
  /** A shard does not need other layouts any more. */
  converted(): void;
  /** A shard is short of memory and waits for the archive to reach `limitSec`. */
  archiveWanted(limitSec: number): void;
  /** A shard has hosts of a cluster, or none any more. */
  cluster(shard: number, cluster: string, exists: boolean): void;
}

export class ShardCalls {
  readonly links: readonly ShardLink[];
  readonly unknownMetrics: UnknownMetricNotices;
  readonly #bell: Bell;
  readonly #events: ShardEvents;
  readonly #pending = new Map<number, Pending>();
  readonly #blocks = new AnswerBlocks(CHUNK_BLOCK_BYTES);
  /** So that the code compiled for them stays. */
  readonly #keptPending = new LastFew<Pending>();
  readonly #questions = new LoneQuestions();
  readonly #keptReports = new LastFew<WriteReport>();
  #pendingBytes = 0;
  #nextId = 1;
  /** Why no shard answers any more. */
  #failure: ClientError | undefined;

  constructor(wiring: Wiring, events: ShardEvents) {
    this.#bell = new Bell(wiring.mainBell);
    this.links = wiring.toShard.map((_, shard) => new ShardLink(wiring, shard));
    this.#events = events;
    this.unknownMetrics = new UnknownMetricNotices((notice) =>
      events.notice(notice)
    );
  }

  /** Rejects all calls under way and all later ones. */
  fail(reason: ClientError): void {
    this.#failure = reason;
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#pending.clear();
    this.#pendingBytes = 0;
  }

  /** Names a batch or a question. */
  takeId(): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffffffff ? 1 : id + 1;
    return id;
  }

  /** Resolves when every shard that got lines of the batch has reported. */
  awaitReport(id: number): Promise<WriteReport> {
    return new Promise<WriteReport>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#pending.set(
        id,
        new Pending(
          new ReportCollector(),
          (value) => resolve(value as WriteReport),
          reject,
        ),
      );
    });
  }

  /** Forgets a batch whose report is not waited for any more. */
  abandon(id: number): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#forget(id, pending);
  }

  /** Puts a question to one shard. */
  send<Kind extends Reply["kind"]>(
    shard: number,
    ask: Ask,
  ): Promise<ShardReply<Kind>> {
    const id = this.takeId();
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const pending: Pending = new Pending(
        undefined,
        // A shard answers each kind of question with its own kind of reply.
        (reply) =>
          resolve({
            chunks: pending.chunks,
            reply: reply as Extract<Reply, { kind: Kind }>,
          }),
        reject,
      );
      this.#pending.set(id, pending);
      this.links[shard]!.ask(id, ENCODER.encode(JSON.stringify(ask)));
    });
  }

  /** Takes what the shards send, for as long as there are shards. */
  listen(): Promise<void> {
    return listenTo(
      this.#bell,
      () => this.#takeAll(),
      () => this.#failure !== undefined,
    );
  }

  #takeAll(): void {
    for (let shard = 0; shard < this.links.length; shard++) {
      const link = this.links[shard]!;
      while (link.incoming.next()) {
        this.#receive(shard, link.incoming);
        link.release();
      }
      link.resume();
    }
  }

  /**
   * Waits for a quick answer on the spot where the server has nothing else to do:
   * waking the event loop costs about as much as all the rest of a small query.
   * Where others wait, their requests are that else.
   */
  linger(asked: number): void {
    if (asked === 0 || !this.#questions.isAlone()) return;
    for (const link of this.links) link.ring();
    // Several shards may need the processor that looking would take.
    const spinMs = asked === 1 ? SPIN_MS : 0;
    const startedMs = monotonicMs();
    while (this.#pending.size === asked) {
      const seen = this.#bell.count();
      this.#takeAll();
      const passedMs = monotonicMs() - startedMs;
      if (passedMs >= LINGER_MS) return;
      if (passedMs < spinMs || this.#pending.size !== asked) continue;
      this.#bell.waitBriefly(seen, LINGER_MS - passedMs);
    }
  }

  #receive(shard: number, frame: RingConsumer): void {
    switch (frame.kind) {
      case KIND.NOTICE:
        this.#events.notice(
          JSON.parse(DECODER.decode(frame.payload())) as EngineNotice,
        );
        return;
      case KIND.RESTORED:
        this.#events.restored();
        return;
      case KIND.CONVERTED:
        this.#events.converted();
        return;
      case KIND.ARCHIVE_WANTED:
        this.#events.archiveWanted(frame.view.getFloat64(frame.start, true));
        return;
      case KIND.CLUSTER:
        this.#events.cluster(
          shard,
          DECODER.decode(frame.payload()),
          frame.aux === CLUSTER_THERE,
        );
        return;
    }
    const pending = this.#pending.get(frame.id);
    // A batch that was broken off, or failed in another shard before.
    if (pending === undefined) return;
    switch (frame.kind) {
      case KIND.CHUNK:
        this.#addChunk(frame.id, pending, this.#copyOf(frame));
        return;
      case KIND.WRITE_DONE: {
        const done = parseWriteDone(frame.payload());
        const report = pending.report!.add(
          done,
          frame.aux === DONE_OF_FORWARD,
        );
        if (report === undefined) return;
        this.#pending.delete(frame.id);
        this.#tellUnknown(report);
        pending.resolve(report);
        this.#keptPending.keep(pending);
        this.#keptReports.keep(report);
        return;
      }
      case KIND.REPLY:
        if (frame.aux !== AUX_END) {
          pending.replyStart.push(frame.payload());
          return;
        }
        this.#forget(frame.id, pending);
        this.#settle(pending, replyOf(pending.replyStart, frame.payload()));
    }
  }

  #tellUnknown({ skipped, unknown = [] }: WriteReport): void {
    const lines = skipped["unknown-metric"];
    if (lines !== undefined) this.unknownMetrics.add(lines, unknown);
  }

  /** Large pieces of an answer go into memory that was used before. */
  #copyOf(frame: RingConsumer): Uint8Array<ArrayBuffer> {
    const { bytes, start, end } = frame;
    const length = end - start;
    if (length <= CHUNK_BLOCK_BYTES / 2 || length > CHUNK_BLOCK_BYTES) {
      return frame.payload();
    }
    const block = this.#blocks.take();
    block.set(bytes.subarray(start, end));
    return block.subarray(0, length);
  }

  /** Takes back the pieces of an answer that are not read any more. */
  recycle(chunks: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#blocks.give(chunks);
  }

  #addChunk(
    id: number,
    pending: Pending,
    chunk: Uint8Array<ArrayBuffer>,
  ): void {
    this.#pendingBytes += chunk.length;
    pending.bytes += chunk.length;
    pending.chunks.push(chunk);
    if (this.#pendingBytes <= PENDING_BYTES_MAX) return;
    this.#forget(id, pending);
    pending.reject(
      new ClientError("E_OVERLOAD", "too many large answers at a time", {
        retryAfterSec: 1,
      }),
    );
  }

  #forget(id: number, pending: Pending): void {
    this.#pending.delete(id);
    this.#pendingBytes -= pending.bytes;
  }

  #settle(pending: Pending, reply: Reply): void {
    if (reply.kind !== "error") {
      pending.resolve(reply);
      // Not the answer itself, which may be large.
      pending.chunks = [];
      pending.replyStart = [];
      this.#keptPending.keep(pending);
      return;
    }
    const code = reply.code in STATUS_BY_CODE
      ? reply.code as ErrorCode
      : "E_INTERNAL";
    pending.reject(new ClientError(code, reply.message));
  }
}

/** A reply of one frame or of several; a character may lie in two of them. */
function replyOf(
  start: readonly Uint8Array<ArrayBuffer>[],
  end: Uint8Array<ArrayBuffer>,
): Reply {
  const bytes = start.length === 0 ? end : Buffer.concat([...start, end]);
  return JSON.parse(DECODER.decode(bytes)) as Reply;
}
