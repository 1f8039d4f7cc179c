/**
 * Bodies of answers that are made while they are sent, piece by piece, as fast as the
 * client reads. Main thread.
 */
import type { JsonBody } from "../metricstore/engine/metric_engine.ts";

/** What fits into this is sent in one go, with its length. */
const WHOLE_BYTES_MAX = 256 << 10;

export interface BodyStream {
  /** Each is made when it is asked for; nobody changes it afterwards. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /**
   * Called when the answer is through or nobody wants it any more, more than once
   * perhaps: whatever makes the pieces ends.
   */
  close(): void;
}

/** How a stream begins: as a whole if it is short. */
export type StreamStart =
  | { readonly isWhole: true; readonly body: JsonBody }
  | { readonly isWhole: false; readonly pieces: AsyncGenerator<Uint8Array> };

/** Reads on until it is known whether the body is short. Rejects as its pieces do. */
export async function startOf({ pieces }: BodyStream): Promise<StreamStart> {
  const iterator = pieces[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  while (byteLength <= WHOLE_BYTES_MAX) {
    const next = await iterator.next();
    if (next.done) return { isWhole: true, body: { chunks, byteLength } };
    chunks.push(next.value);
    byteLength += next.value.byteLength;
  }
  return { isWhole: false, pieces: chained(chunks, iterator) };
}

async function* chained(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* first;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value;
  }
}
