/**
 * Puts the body of an answer on the wire. Large ones go piece by piece, as fast
 * as the client reads: only so does it show whether it still reads. Main thread.
 */
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import type { JsonBody } from "../engine/metric_engine.ts";
import type { Door } from "./door.ts";

/** Bodies up to this size are joined into one write. */
const JOIN_BYTES = 64 << 10;
/** As fast as in one go, measured with 8 MB over loopback. */
const PIECE_BYTES = 1 << 20;

type WriterDoor = Pick<Door, "gate" | "limits" | "inFlight">;

/**
 * Writes the body and ends the response, whose head has been written. The memory of
 * a body that was cut off is not released: somebody may still be reading it.
 */
export function writeBody(
  res: ServerResponse,
  door: WriterDoor,
  { chunks, byteLength, release }: JsonBody,
): void {
  if (release !== undefined) res.once("finish", release);
  if (byteLength === 0) res.end();
  else if (chunks.length === 1 && byteLength <= JOIN_BYTES) res.end(chunks[0]);
  else if (byteLength <= JOIN_BYTES) res.end(Buffer.concat(chunks));
  else writeLarge(res, door, chunks, byteLength);
}

/**
 * The bytes count as in flight until they are out, so that slow readers of large
 * answers keep others waiting at the gate instead of filling the memory; and a
 * stop waits for it as for any request.
 */
function writeLarge(
  res: ServerResponse,
  { gate, limits, inFlight }: WriterDoor,
  chunks: readonly Uint8Array[],
  byteLength: number,
): void {
  gate.add(byteLength);
  const visit = { req: res.req };
  inFlight.add(visit);
  let stalled = setTimeout(cut, limits.stalledAnswerMs);
  const pieces = inPieces(chunks);
  res.once("close", () => {
    clearTimeout(stalled);
    gate.release(byteLength);
    inFlight.delete(visit);
  });
  writeOn();

  function writeOn(): void {
    clearTimeout(stalled);
    stalled = setTimeout(cut, limits.stalledAnswerMs);
    // Not `for … of`: leaving it would end the generator.
    for (let next = pieces.next(); !next.done; next = pieces.next()) {
      if (!res.write(next.value)) {
        res.once("drain", writeOn);
        return;
      }
    }
    res.end();
  }

  function cut(): void {
    res.destroy();
  }
}

function* inPieces(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      yield chunk.subarray(at, at + PIECE_BYTES);
    }
  }
}
