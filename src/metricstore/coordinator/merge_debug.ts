/**
 * Joins the debug dumps of all shards: the hosts of a cluster are spread over
 * them, a level below belongs to one. Main thread only.
 */
import { ClientError } from "../../base/errors.ts";
import { bodyOf } from "./merge_answers.ts";
import type { JsonBody } from "../engine/metric_engine.ts";
import type { ShardReply } from "./shard_calls.ts";

const ENCODER = new TextEncoder();
const COMMA = ENCODER.encode(",");
const CLOSE = ENCODER.encode("}");

/** Throws `E_BAD_REQUEST` where the selector names nothing in any shard. */
export function mergeDebug(
  replies: readonly ShardReply<"debug">[],
  selector: readonly string[],
): JsonBody {
  const found = replies.filter(({ reply }) => reply.found);
  if (found.length === 0 && selector.length > 0) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `[METRICSTORE]> not found: ${JSON.stringify(selector)}`,
    );
  }
  const out: Uint8Array[] = [ENCODER.encode(`{"data":`)];
  if (selector.length > 1) out.push(...found.flatMap(({ chunks }) => chunks));
  else {
    const members = membersByCluster(found);
    if (selector.length === 1) {
      out.push(ENCODER.encode("{"));
      pushJoined(out, members.get(selector[0]!) ?? []);
      out.push(CLOSE);
    } else {
      let separator = "{";
      for (const [name, pieces] of members) {
        out.push(ENCODER.encode(`${separator}${JSON.stringify(name)}:{`));
        separator = ",";
        pushJoined(out, pieces);
        out.push(CLOSE);
      }
      out.push(ENCODER.encode(separator === "{" ? "{}" : "}"));
    }
  }
  out.push(ENCODER.encode("}\n"));
  return bodyOf(out);
}

/** The hosts of each cluster as each shard wrote them. */
function membersByCluster(
  replies: readonly ShardReply<"debug">[],
): Map<string, Uint8Array[]> {
  const members = new Map<string, Uint8Array[]>();
  for (const { chunks, reply } of replies) {
    const whole = concatenate(chunks);
    let at = 0;
    for (const { name, bytes } of reply.clusters) {
      const pieces = members.get(name) ?? [];
      pieces.push(whole.subarray(at, at + bytes));
      members.set(name, pieces);
      at += bytes;
    }
  }
  return members;
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const { byteLength } = bodyOf(chunks);
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function pushJoined(out: Uint8Array[], pieces: readonly Uint8Array[]): void {
  pieces.filter((piece) => piece.length > 0).forEach((piece, i) => {
    if (i > 0) out.push(COMMA);
    out.push(piece);
  });
}
