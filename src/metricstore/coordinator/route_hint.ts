/**
 * Which shard should read a body: that of its first line, as far as a glance can
 * tell. A wrong guess costs a hand-over, never a sample. Main thread only.
 */
import { Buffer } from "node:buffer";
import { shardOf } from "../transport/messages.ts";

/** The first line is looked for in so many bytes. */
const GLANCE_BYTES = 512;
const LF = 0x0a;
const HOST = /,host(?:name)?=([^,= ]+)/;
const CLUSTER = /,cluster=([^,= ]+)/;

/**
 * Returns the shard in [0, shards) that owns the host of the first line in the first
 * 512 bytes of `start`; 0 if no host is found there.
 */
export function guessShard(
  start: Uint8Array,
  instance: string,
  defaultCluster: string,
  shards: number,
): number {
  if (shards === 1) return 0;
  const { buffer, byteOffset, length } = start;
  const glance = Buffer.from(
    buffer,
    byteOffset,
    Math.min(length, GLANCE_BYTES),
  );
  const lineEnd = glance.indexOf(LF);
  const line = glance.toString(
    "latin1",
    0,
    lineEnd < 0 ? glance.length : lineEnd,
  );
  const host = HOST.exec(line)?.[1] ?? "";
  const cluster = CLUSTER.exec(line)?.[1] ?? defaultCluster;
  return shardOf(instance, cluster, host, shards);
}
