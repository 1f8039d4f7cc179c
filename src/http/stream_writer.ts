/**
 * Puts a body on the wire while it is made: the next piece is asked for when the
 * client has taken the one before, so a slow reader costs a piece. Main thread.
 */
import type { ServerResponse } from "node:http";
import { monotonicMs } from "../base/clock.ts";
import type { HttpContext, Visit } from "./http_context.ts";

type WriterContext = Pick<HttpContext, "limits" | "inFlight">;

/**
 * Writes the pieces and ends the response, whose head has been written without a
 * length. Who takes a piece too slowly is cut; a stop waits for the answer as for any
 * request. Where the pieces fail the connection is cut, so that nobody takes the part
 * for the whole, and the promise rejects.
 */
export async function writeStream(
  res: ServerResponse,
  context: WriterContext,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const answer = new StreamedAnswer(res, context.limits);
  context.inFlight.add(answer);
  res.once("close", () => context.inFlight.delete(answer));
  try {
    for await (const piece of pieces) {
      if (res.destroyed) return;
      if (!res.write(piece)) await answer.taken("drain", piece.byteLength);
    }
    res.end();
    await answer.taken("finish", 0);
  } catch (error) {
    res.destroy();
    throw error;
  }
}

class StreamedAnswer implements Visit {
  readonly req: ServerResponse["req"];
  readonly #res: ServerResponse;
  readonly #limits: WriterContext["limits"];
  /** When the client must have taken the piece under way; there may be none. */
  #untilMs = Infinity;

  constructor(res: ServerResponse, limits: WriterContext["limits"]) {
    this.req = res.req;
    this.#res = res;
    this.#limits = limits;
  }

  /** Cuts who does not take the piece under way at the least speed. */
  checkSpeed(nowMs: number): void {
    if (nowMs >= this.#untilMs) this.#res.destroy();
  }

  /** Resolves with the event, or when the connection is gone. */
  taken(event: "drain" | "finish", bytes: number): Promise<void> {
    const res = this.#res;
    if (res.destroyed || (event === "finish" && res.writableFinished)) {
      return Promise.resolve();
    }
    const { bytesPerSecMin, slowMs } = this.#limits;
    this.#untilMs = monotonicMs() +
      Math.max(slowMs, bytes / bytesPerSecMin * 1000);
    return new Promise((resolve) => {
      const done = () => {
        this.#untilMs = Infinity;
        res.off(event, done);
        res.off("close", done);
        resolve();
      };
      res.once(event, done);
      res.once("close", done);
    });
  }
}
