/**
 * Joins the JSON of several shards into one body: each shard has written the
 * entries of its own queries, in order; here they are put into the order of the
 * request. Main thread only; nothing is parsed.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AnswerBlocks } from "./answer_blocks.ts";
import type { JsonBody } from "../engine/metric_engine.ts";

/** Lists that are put together before others get a turn. */
const LISTS_AT_ONCE = 1 << 14;
/** The same in bytes: some milliseconds. */
const TURN_BYTES = 16 << 20;
const ENCODER = new TextEncoder();
const COMMA = ENCODER.encode(",");
const HEAD = [ENCODER.encode(`{"results":[`)];
const ECHO_HEAD = ENCODER.encode(`{"queries":[`);
const ECHO_TAIL = ENCODER.encode(`],"results":[`);
const TAIL = ENCODER.encode("]}\n");

/** The answer of one shard: its bytes, and the number of bytes of each query. */
export interface ShardAnswer {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  readonly lengths: readonly number[];
  /** Gives `chunks` back; the caller must not read them any more. */
  release(): void;
}

/**
 * `shards[i]` is the index into `answers` of the shard that answered query i.
 * `echo` is the JSON of the queries to list in front of the results, in pieces; none:
 * they are not listed. Answers of more than half a block are put together in
 * `blocks`: none holds more than twice its bytes. Others get a turn now and then.
 */
export async function mergeAnswers(
  answers: readonly ShardAnswer[],
  shards: readonly number[],
  echo: readonly Uint8Array<ArrayBuffer>[],
  blocks: AnswerBlocks,
): Promise<JsonBody> {
  const head = echo.length === 0 ? HEAD : [ECHO_HEAD, ...echo, ECHO_TAIL];
  const only = answers[0];
  if (shards.length === 1 && only !== undefined) {
    const release = () => only.release();
    return { ...bodyOf([...head, ...only.chunks, TAIL]), release };
  }
  let bytes = bodyOf(head).byteLength + TAIL.length +
    Math.max(0, shards.length - 1);
  for (const { lengths } of answers) {
    for (const length of lengths) bytes += length;
  }
  // A block for less would hold many times what counts as in flight.
  const isSmall = bytes <= blocks.blockBytes / 2;
  const out = new Pieces(() => isSmall ? new Uint8Array(bytes) : blocks.take());
  for (const piece of head) out.add(piece);
  const cursors = answers.map((answer) => new Cursor(answer));
  let turnBytes = out.bytes + TURN_BYTES;
  for (let i = 0; i < shards.length; i++) {
    if (i > 0) out.add(COMMA);
    cursors[shards[i]!]!.copyNext(out);
    if ((i + 1) % LISTS_AT_ONCE !== 0 && out.bytes < turnBytes) continue;
    turnBytes = out.bytes + TURN_BYTES;
    await nextTurn();
  }
  out.add(TAIL);
  for (const answer of answers) answer.release();
  const pieces = out.finish();
  const body = bodyOf(pieces);
  return isSmall ? body : { ...body, release: () => blocks.give(pieces) };
}

/** Returns a JSON body of these pieces; they are not copied. */
export function bodyOf(chunks: readonly Uint8Array[]): JsonBody {
  return {
    chunks,
    byteLength: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  };
}

/** Walks over the pieces of one shard's answer, a query at a time. */
class Cursor {
  readonly #answer: ShardAnswer;
  #query = 0;
  #chunk = 0;
  #offset = 0;

  constructor(answer: ShardAnswer) {
    this.#answer = answer;
  }

  /** Adds the entries of the next query. */
  copyNext(out: Pieces): void {
    let left = this.#answer.lengths[this.#query++] ?? 0;
    while (left > 0) {
      const chunk = this.#answer.chunks[this.#chunk]!;
      const take = Math.min(left, chunk.length - this.#offset);
      out.add(chunk.subarray(this.#offset, this.#offset + take));
      left -= take;
      this.#offset += take;
      if (this.#offset === chunk.length) {
        this.#chunk++;
        this.#offset = 0;
      }
    }
  }
}

/** Bytes put one behind the other into as much memory as they take. */
class Pieces {
  readonly #take: () => Uint8Array<ArrayBuffer>;
  readonly #full: Uint8Array<ArrayBuffer>[] = [];
  /** How many there are. */
  bytes = 0;
  #open: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(take: () => Uint8Array<ArrayBuffer>) {
    this.#take = take;
    this.#open = take();
  }

  add(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    for (let from = 0;;) {
      const room = this.#open.length - this.#at;
      const some = bytes.subarray(from, from + room);
      this.#open.set(some, this.#at);
      this.#at += some.length;
      from += some.length;
      if (from === bytes.length) return;
      this.#full.push(this.#open);
      this.#open = this.#take();
      this.#at = 0;
    }
  }

  finish(): Uint8Array<ArrayBuffer>[] {
    return [...this.#full, this.#open.subarray(0, this.#at)];
  }
}
