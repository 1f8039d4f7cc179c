/**
 * Puts the body of an answer on the wire. Large ones go piece by piece, as fast
 * as the client reads: only so does it show whether it still reads. Main thread.
 */
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { monotonicMs } from "../../base/clock.ts";
import type { JsonBody } from "../../metricstore/engine/metric_engine.ts";
import type { Claim } from "../../base/shared_pool.ts";
import type { HttpContext } from "../http_context.ts";

/** Bodies up to this size are joined into one write. */
const JOIN_BYTES = 64 << 10;
/**
 * Pieces have the size that the client takes in about a second, within these bounds:
 * small ones show what a slow client reads, large ones cost a fast one nothing.
 */
const PIECE_BYTES_MIN = 16 << 10;
const PIECE_BYTES_MAX = 256 << 10;

const PIECE_MS = 1000;

type WriterContext = Pick<HttpContext, "limits" | "inFlight">;

/** Whether a body goes out as a text: its bytes are copied anyway. */
export function isShort({ byteLength }: JsonBody): boolean {
  return byteLength > 0 && byteLength <= JOIN_BYTES;
}

/** The bytes of a body as a text of as many characters (Latin-1), whatever they mean. */
export function shortText({ chunks }: JsonBody): string {
  let text = "";
  for (const { buffer, byteOffset, byteLength } of chunks) {
    text += Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
  }
  return text;
}

/**
 * Writes the body and ends the response, whose head has been written. The memory of
 * a body that was cut off is not released: somebody may still be reading it.
 * `openClaim`: on the bytes in flight, of whoever asked; only large bodies need it.
 */
export function writeBody(
  res: ServerResponse,
  context: WriterContext,
  { chunks, byteLength, release }: JsonBody,
  openClaim: () => Claim,
): void {
  if (release !== undefined) res.once("finish", release);
  if (byteLength === 0) res.end();
  else if (chunks.length === 1 && byteLength <= JOIN_BYTES) res.end(chunks[0]);
  else if (byteLength <= JOIN_BYTES) res.end(Buffer.concat(chunks));
  else new LargeAnswer(res, context, chunks, openClaim()).start(byteLength);
}

/**
 * The bytes count as in flight until they are out, so that slow readers of large
 * answers keep themselves waiting instead of filling the memory; and a stop waits
 * for it as for any request.
 */
class LargeAnswer {
  readonly req: ServerResponse["req"];
  readonly #res: ServerResponse;
  readonly #context: WriterContext;
  readonly #claim: Claim;
  readonly #chunks: readonly Uint8Array[];
  #chunk = 0;
  #at = 0;
  #pieceBytes = PIECE_BYTES_MIN;
  #beganMs = monotonicMs();

  constructor(
    res: ServerResponse,
    context: WriterContext,
    chunks: readonly Uint8Array[],
    claim: Claim,
  ) {
    this.req = res.req;
    this.#res = res;
    this.#context = context;
    this.#chunks = chunks;
    this.#claim = claim;
  }

  start(byteLength: number): void {
    const { inFlight } = this.#context;
    this.#claim.add(byteLength);
    inFlight.add(this);
    this.#res.once("close", () => {
      this.#claim.close();
      inFlight.delete(this);
    });
    this.#writeOn();
  }

  /**
   * Cuts who does not take the piece under way at the least speed. Of a piece that is
   * under way nobody can tell how much was taken.
   */
  checkSpeed(nowMs: number): void {
    const { bytesPerSecMin, slowMs } = this.#context.limits;
    const allowedMs = Math.max(
      slowMs,
      this.#pieceBytes / bytesPerSecMin * 1000,
    );
    if (nowMs - this.#beganMs >= allowedMs) this.#res.destroy();
  }

  #writeOn(): void {
    const res = this.#res;
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) {
      this.#beganMs = monotonicMs();
      if (!res.write(piece)) {
        res.once("drain", () => this.#drained());
        return;
      }
    }
    res.end();
  }

  #drained(): void {
    const tookMs = Math.max(1, monotonicMs() - this.#beganMs);
    const inTime = Math.floor(this.#pieceBytes / tookMs * PIECE_MS);
    this.#pieceBytes = Math.max(
      PIECE_BYTES_MIN,
      Math.min(PIECE_BYTES_MAX, inTime),
    );
    this.#writeOn();
  }

  /** The next piece, `undefined` at the end. */
  #next(): Uint8Array | undefined {
    let chunk = this.#chunks[this.#chunk];
    while (chunk !== undefined && this.#at >= chunk.byteLength) {
      this.#at = 0;
      chunk = this.#chunks[++this.#chunk];
    }
    if (chunk === undefined) return undefined;
    const from = this.#at;
    this.#at += this.#pieceBytes;
    return chunk.subarray(from, this.#at);
  }
}
