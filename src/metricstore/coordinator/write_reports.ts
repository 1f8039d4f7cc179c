/**
 * Joins what the shards report of one batch: the shard that read the body, and
 * each frame of lines it passed on. Main thread only.
 */
import {
  type LineError,
  MAX_LINE_ERRORS,
  REJECT_REASONS,
  SKIP_REASONS,
  type WriteReport,
} from "../engine/metric_engine.ts";
import { joinUnknown } from "../engine/unknown_metrics.ts";
import type { WriteDone } from "../transport/messages.ts";

const DECODER = new TextDecoder();
const COUNTS_BYTES = 12;

/** Reads the payload of a WRITE_DONE frame. */
export function parseWriteDone(payload: Uint8Array<ArrayBuffer>): WriteDone {
  if (payload.length !== COUNTS_BYTES) {
    return JSON.parse(DECODER.decode(payload)) as WriteDone;
  }
  const view = new DataView(payload.buffer);
  return {
    lines: view.getUint32(0, true),
    stored: view.getUint32(4, true),
    forwards: view.getUint32(8, true),
    rejected: [],
    skipped: [],
    errors: [],
    unknown: [],
  };
}

export class ReportCollector {
  readonly #parts: WriteDone[] = [];
  #forwards: number | undefined;
  #forwardsDone = 0;

  /** Adds one report. Returns the whole once nothing is missing any more. */
  add(done: WriteDone, isForward: boolean): WriteReport | undefined {
    this.#parts.push(done);
    if (isForward) this.#forwardsDone++;
    else this.#forwards = done.forwards;
    return this.#forwardsDone === this.#forwards ? this.#merge() : undefined;
  }

  #merge(): WriteReport {
    let lines = 0;
    let stored = 0;
    const errors: LineError[] = [];
    for (const part of this.#parts) {
      lines += part.lines;
      stored += part.stored;
      errors.push(...part.errors);
    }
    errors.sort((a, b) => a.line - b.line);
    const givenUpAt = this.#parts.find((part) => part.givenUpAt !== undefined)
      ?.givenUpAt;
    const skipped = sumByName(
      SKIP_REASONS,
      this.#parts.map((part) => part.skipped),
    );
    return {
      lines,
      stored,
      rejected: sumByName(
        REJECT_REASONS,
        this.#parts.map((part) => part.rejected),
      ),
      skipped,
      errors: errors.slice(0, MAX_LINE_ERRORS),
      ...(givenUpAt === undefined ? {} : { givenUpAt }),
      unknown: skipped["unknown-metric"] === undefined
        ? []
        : joinUnknown(this.#parts.map((part) => part.unknown)),
    };
  }
}

/** Sums counts by index and names those that are not 0. */
function sumByName<Name extends string>(
  names: readonly Name[],
  counts: readonly (readonly number[])[],
): Partial<Record<Name, number>> {
  const out: Partial<Record<Name, number>> = {};
  for (const part of counts) {
    part.forEach((count, index) => {
      const name = names[index];
      if (count > 0 && name !== undefined) {
        out[name] = (out[name] ?? 0) + count;
      }
    });
  }
  return out;
}
