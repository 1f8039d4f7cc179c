/**
 * Which shard should read a body: that of its first line, as far as a glance can
 * tell. A wrong guess costs a hand-over, never a sample. Main thread only.
 */
import { shardOf } from "../transport/messages.ts";

/** The first line is looked for in so many bytes. */
const GLANCE_BYTES = 512;
const DECODER = new TextDecoder("latin1");
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
  const text = DECODER.decode(start.subarray(0, GLANCE_BYTES));
  const lineEnd = text.indexOf("\n");
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd);
  const host = HOST.exec(line)?.[1] ?? "";
  const cluster = CLUSTER.exec(line)?.[1] ?? defaultCluster;
  return shardOf(instance, cluster, host, shards);
}
