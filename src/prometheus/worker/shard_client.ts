/**
 * Selections in all shards, from the side of an evaluator: questions go out over its
 * rings, pieces come back and wait for whoever reads them. What waits is bounded; a
 * ring whose next piece finds no room is left alone until there is some. Evaluator
 * thread only.
 */
import {
  ClientError,
  type ErrorCode,
  STATUS_BY_CODE,
} from "../../base/errors.ts";
import type { EvaluatorWiring } from "../../metricstore/transport/shard_wiring.ts";
import { Bell, listenTo } from "../../metricstore/transport/bell.ts";
import {
  RingConsumer,
  RingProducer,
} from "../../metricstore/transport/ring.ts";
import {
  type AskSeries,
  cancelSelection,
  SELECT_END,
  SELECTION_KIND,
  type SelectionEnd,
} from "../../metricstore/transport/selection_messages.ts";
import {
  readSeriesFrame,
  type SeriesPiece,
} from "../../metricstore/transport/series_frame.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
/** Size of the pieces of a selection that wait to be read, in samples of 16 bytes. */
const WAITING_MAX = 512 << 10;
/** The labels of a series weigh as much as so many samples. */
const SERIES_WEIGHT = 32;

/** A piece and the shard it came from. */
export interface ShardPiece {
  readonly shard: number;
  readonly piece: SeriesPiece;
}

/** A selection that is being read. */
export class OpenSelection {
  readonly id: number;
  readonly #waiting: ShardPiece[] = [];
  readonly #onRead: () => void;
  #weight = 0;
  #shardsLeft: number;
  #error: ClientError | undefined;
  #wake: (() => void) | undefined;

  constructor(id: number, shards: number, onRead: () => void) {
    this.id = id;
    this.#shardsLeft = shards;
    this.#onRead = onRead;
  }

  get isFull(): boolean {
    return this.#weight >= WAITING_MAX;
  }

  /** No shard works for it any more, whether or not it failed. */
  get isEnded(): boolean {
    return this.#shardsLeft === 0;
  }

  add(shard: number, piece: SeriesPiece): void {
    this.#waiting.push({ shard, piece });
    this.#weight += weightOf(piece);
    this.#wake?.();
  }

  end({ error }: SelectionEnd): void {
    this.#shardsLeft--;
    if (error !== undefined) {
      const code = error.code in STATUS_BY_CODE
        ? error.code as ErrorCode
        : "E_INTERNAL";
      this.fail(new ClientError(code, error.message));
    }
    this.#wake?.();
  }

  fail(reason: ClientError): void {
    this.#error ??= reason;
    this.#wake?.();
  }

  /** The next piece; `undefined`: there are no more. Rejects where a shard failed. */
  async next(): Promise<ShardPiece | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const first = this.#waiting.shift();
      if (first !== undefined) {
        const wasFull = this.isFull;
        this.#weight -= weightOf(first.piece);
        if (wasFull && !this.isFull) this.#onRead();
        return first;
      }
      if (this.#shardsLeft === 0) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }
}

function weightOf({ labels, values }: SeriesPiece): number {
  return values.length + SERIES_WEIGHT * labels.length;
}

export class ShardClient {
  readonly shards: number;
  readonly #bell: Bell;
  readonly #shardBells: readonly Bell[];
  readonly #outboxes: readonly RingProducer[];
  readonly #inboxes: readonly RingConsumer[];
  readonly #cancelled: Int32Array;
  readonly #open = new Map<number, OpenSelection>();
  /** Questions that found no room yet, by shard. */
  readonly #unsent: { id: number; aux: number; bytes: Uint8Array }[][];
  #nextId = 1;

  constructor(
    wiring: EvaluatorWiring,
    shardBells: readonly SharedArrayBuffer[],
  ) {
    this.shards = shardBells.length;
    this.#bell = new Bell(wiring.bell);
    this.#shardBells = shardBells.map((bell) => new Bell(bell));
    this.#outboxes = wiring.toShard.map((ring) => new RingProducer(ring));
    this.#inboxes = wiring.fromShard.map((ring) => new RingConsumer(ring));
    this.#cancelled = new Int32Array(wiring.cancelled);
    this.#unsent = wiring.toShard.map(() => []);
  }

  /** Asks the shards for series. Whoever reads to the end or gives up calls `close`. */
  open(ask: AskSeries, shards: readonly number[]): OpenSelection {
    const id = this.#nextId;
    this.#nextId = id === 0x7fffffff ? 1 : id + 1;
    const selection = new OpenSelection(
      id,
      shards.length,
      () => this.#takeAll(),
    );
    this.#open.set(id, selection);
    const json = ENCODER.encode(JSON.stringify(ask));
    for (const shard of shards) {
      const size = this.#outboxes[shard]!.maxPayload;
      for (let from = 0; from < json.length; from += size) {
        const isEnd = from + size >= json.length;
        this.#unsent[shard]!.push({
          id,
          aux: isEnd ? SELECT_END : 0,
          bytes: json.subarray(from, from + size),
        });
      }
      this.#send(shard);
    }
    return selection;
  }

  /** Nobody reads the selection any more; shards that are still at it stop. */
  close(selection: OpenSelection): void {
    if (!this.#open.delete(selection.id)) return;
    if (!selection.isEnded) cancelSelection(this.#cancelled, selection.id);
    // The rest of it in the rings goes at once.
    this.#takeAll();
  }

  /** Takes what shards send, as long as the thread lives. */
  listen(): Promise<void> {
    return listenTo(this.#bell, () => this.#takeAll());
  }

  #takeAll(): void {
    for (let shard = 0; shard < this.shards; shard++) {
      this.#send(shard);
      this.#take(shard);
    }
  }

  #send(shard: number): void {
    const unsent = this.#unsent[shard]!;
    for (let one = unsent[0]; one !== undefined; one = unsent[0]) {
      const { id, aux, bytes } = one;
      const outbox = this.#outboxes[shard]!;
      if (!outbox.send(SELECTION_KIND.SELECT, id, aux, bytes)) return;
      unsent.shift();
      this.#shardBells[shard]!.ring();
    }
  }

  #take(shard: number): void {
    const inbox = this.#inboxes[shard]!;
    while (inbox.next()) {
      const selection = this.#open.get(inbox.id);
      if (selection !== undefined) {
        if (inbox.kind === SELECTION_KIND.END) {
          selection.end(
            JSON.parse(DECODER.decode(inbox.payload())) as SelectionEnd,
          );
        } else {
          if (selection.isFull) return;
          selection.add(shard, readSeriesFrame(inbox));
        }
      }
      // The shard may have stopped because its ring was full.
      inbox.release();
      this.#shardBells[shard]!.ring();
    }
  }
}
