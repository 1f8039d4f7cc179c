/**
 * Messages into the engine: several small ones share a batch, since a batch costs
 * a round trip to the shards. Main thread; nothing is parsed here.
 *
 * Lines stay whole: a message without a line break at its end gets one, and a
 * message with a quotation mark goes alone, because a string that it does not
 * close would run into the next message.
 */
import type {
  BatchOptions,
  MetricEngine,
  WriteReport,
} from "../engine/metric_engine.ts";

/** A message waiting to be stored. */
export interface MetricMessage {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * Bytes after which a batch is not filled any further: its round trip costs a
 * tenth of its work by then, and what comes meanwhile must wait for it.
 */
const BATCH_BYTES = 1 << 20;
const LF = 0x0a;
const QUOTE = 0x22;
const LINE_BREAK = Uint8Array.of(LF);

/** How many of the first messages belong into one batch. */
export function groupLength(messages: readonly MetricMessage[]): number {
  let bytes = 0;
  let count = 0;
  for (const { data } of messages) {
    const isAlone = data.includes(QUOTE);
    if (count > 0 && (isAlone || bytes + data.length > BATCH_BYTES)) break;
    bytes += data.length;
    count++;
    if (isAlone) break;
  }
  return count;
}

/**
 * Stores messages as one batch; resolves when all owners have their lines in the
 * log, rejects with the engine's `ClientError`.
 */
export async function writeMessages(
  engine: Pick<MetricEngine, "openBatch">,
  options: BatchOptions,
  messages: readonly MetricMessage[],
): Promise<WriteReport> {
  const batch = engine.openBatch(options);
  for (const { data } of messages) {
    const wait = batch.push(data);
    if (wait !== undefined) await wait;
    if (data.at(-1) !== LF) {
      const waitMore = batch.push(LINE_BREAK);
      if (waitMore !== undefined) await waitMore;
    }
  }
  return await batch.end();
}

/**
 * The bytes of a message as they may be kept: what is a small part of a large
 * network buffer is copied, or it would hold on to all of it.
 */
export function ownBytes(data: Uint8Array): Uint8Array {
  return data.length * 4 < data.buffer.byteLength ? data.slice() : data;
}
