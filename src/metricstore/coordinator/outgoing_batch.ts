/**
 * One body of line protocol on the main thread: collects chunks, cuts them at line
 * ends and hands them in parts to the shard of the first line, which passes on
 * what others own. The main thread does not parse.
 */
import type {
  Batch,
  StreamMark,
  WriteReport,
} from "../engine/metric_engine.ts";
import {
  KIND,
  PART_ABORT,
  PART_FIRST,
  PART_LAST,
  PART_MAY_GIVE_UP,
} from "../transport/messages.ts";
import { headBytes, writeHead } from "../transport/write_header.ts";
import type { ShardLink } from "./shard_link.ts";

const LF = 0x0a;
/**
 * A part is sent as soon as so much has come: small enough that the shard works
 * while the rest arrives and that a part stays in the second-level cache.
 */
const PART_BYTES = 256 << 10;

export interface BatchRoute {
  readonly id: number;
  /** A `BatchContext` as JSON. */
  readonly context: Uint8Array;
  readonly mark?: StreamMark | undefined;
  readonly nowSec: number;
  readonly mayBeGivenUp: boolean;
  /** The shard to read a body that begins with these bytes. */
  pickShard(start: Uint8Array): ShardLink;
  /** Called before the first part leaves; resolves with the report of all lines. */
  awaitReport(): Promise<WriteReport>;
  /** Called if the batch was broken off: its report is not waited for. */
  forget(): void;
}

export class OutgoingBatch implements Batch {
  readonly #route: BatchRoute;
  readonly #stream: Uint8Array;
  #link: ShardLink | undefined;
  #report: Promise<WriteReport> | undefined;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isClosed = false;
  #givenUp: WriteReport | undefined;

  constructor(route: BatchRoute) {
    this.#route = route;
    this.#stream = ENCODER.encode(route.mark?.stream ?? "");
  }

  get givenUp(): WriteReport | undefined {
    return this.#givenUp;
  }

  push(chunk: Uint8Array): Promise<void> | undefined {
    if (chunk.length === 0 || this.#givenUp !== undefined) return undefined;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < PART_BYTES) return undefined;
    // Cut at a line end where there is one, so that the shard need not join lines.
    const cut = chunk.lastIndexOf(LF) + 1;
    if (cut === 0) return this.#sendParts(0);
    this.#chunks.pop();
    this.#chunks.push(chunk.subarray(0, cut));
    this.#bytes += cut - chunk.length;
    const sent = this.#sendParts(0);
    if (cut < chunk.length) {
      this.#chunks.push(chunk.subarray(cut));
      this.#bytes = chunk.length - cut;
    }
    return sent;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  end(): Promise<WriteReport> {
    this.#isClosed = true;
    this.#sendParts(PART_LAST);
    return this.#report!;
  }

  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#chunks = [];
    this.#bytes = 0;
    // Without a part sent there is nothing to forget.
    if (this.#link === undefined) return;
    this.#route.forget();
    this.#sendParts(PART_ABORT);
  }

  /** Sends everything collected, the last frame with `flag`. */
  #sendParts(flag: number): Promise<void> | undefined {
    const chunks = this.#chunks;
    let aux = 0;
    if (this.#link === undefined) {
      this.#link = this.#route.pickShard(chunks[0] ?? EMPTY);
      // Owners may report before the last part has left.
      this.#report = this.#route.awaitReport();
      this.#report.then((report) => {
        if (report.givenUpAt !== undefined) this.#givenUp = report;
      }, () => {}); // Whoever calls `end` is told.
      aux = PART_FIRST | (this.#route.mayBeGivenUp ? PART_MAY_GIVE_UP : 0);
    }
    const headerBytes = headBytes(this.#route.context, this.#stream, 0);
    const textMax = this.#link.maxPayload - headerBytes;
    this.#chunks = [];
    this.#bytes = 0;
    let sent: Promise<void> | undefined;
    let piece: Uint8Array[] = [];
    let pieceBytes = 0;
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length;) {
        const take = chunk.subarray(from, from + textMax - pieceBytes);
        piece.push(take);
        pieceBytes += take.length;
        from += take.length;
        if (pieceBytes === textMax) {
          sent = this.#sendFrame(aux, headerBytes, piece, pieceBytes);
          aux = 0;
          piece = [];
          pieceBytes = 0;
        }
      }
    }
    if (pieceBytes > 0 || flag !== 0) {
      sent = this.#sendFrame(aux | flag, headerBytes, piece, pieceBytes);
    }
    return sent;
  }

  #sendFrame(
    aux: number,
    headerBytes: number,
    pieces: readonly Uint8Array[],
    textBytes: number,
  ): Promise<void> | undefined {
    const { id, nowSec, context, mark } = this.#route;
    const stream = this.#stream;
    return this.#link!.send(
      KIND.WRITE,
      id,
      aux,
      headerBytes + textBytes,
      (bytes, at) => {
        let to = writeHead(bytes, at, {
          nowSec,
          line: 1,
          context,
          stream,
          sequence: mark?.sequence ?? 0,
          runs: 0,
        });
        for (const piece of pieces) {
          bytes.set(piece, to);
          to += piece.length;
        }
      },
    );
  }
}

const ENCODER = new TextEncoder();
const EMPTY = new Uint8Array(0);
