/**
 * Joins the JSON of several shards into one body: each shard has written the
 * entries of its own queries, in order; here they are put into the order of the
 * request. Main thread only; nothing is parsed.
 */
import type { JsonBody, MetricQuery } from "./metric_engine.ts";

const ENCODER = new TextEncoder();
const COMMA = 0x2c;

/** What one shard answered: its bytes, and how many of them belong to each query. */
export interface ShardAnswer {
  readonly chunks: readonly Uint8Array[];
  readonly lengths: readonly number[];
}

/**
 * `shards[i]` is the index into `answers` of the shard that answered query i.
 * `echo` are the queries to list in front of the results.
 */
export function mergeAnswers(
  answers: readonly ShardAnswer[],
  shards: readonly number[],
  echo: readonly MetricQuery[] | undefined,
): JsonBody {
  const head = ENCODER.encode(
    echo === undefined
      ? `{"results":[`
      : `{"queries":${JSON.stringify(echo)},"results":[`,
  );
  const tail = ENCODER.encode("]}\n");
  const only = answers[0];
  if (shards.length === 1 && only !== undefined) {
    return bodyOf([head, ...only.chunks, tail]);
  }
  const separators = Math.max(0, shards.length - 1);
  let bytes = head.length + tail.length + separators;
  for (const { lengths } of answers) {
    for (const length of lengths) bytes += length;
  }
  const out = new Uint8Array(bytes);
  out.set(head);
  let at = head.length;
  const cursors = answers.map((answer) => new Cursor(answer));
  for (let i = 0; i < shards.length; i++) {
    if (i > 0) out[at++] = COMMA;
    at = cursors[shards[i]!]!.copyNext(out, at);
  }
  out.set(tail, at);
  return bodyOf([out]);
}

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

  /** Copies the entries of the next query to `out[at…]`; returns the end. */
  copyNext(out: Uint8Array, at: number): number {
    let left = this.#answer.lengths[this.#query++] ?? 0;
    while (left > 0) {
      const chunk = this.#answer.chunks[this.#chunk]!;
      const take = Math.min(left, chunk.length - this.#offset);
      out.set(chunk.subarray(this.#offset, this.#offset + take), at);
      at += take;
      left -= take;
      this.#offset += take;
      if (this.#offset === chunk.length) {
        this.#chunk++;
        this.#offset = 0;
      }
    }
    return at;
  }
}
