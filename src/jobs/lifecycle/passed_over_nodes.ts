/**
 * Nodes whose states are passed over, told once each: batch systems report all of
 * theirs every minute. Main thread.
 *
 * Bounded: senders can name any number of nodes, so only the first are remembered and
 * told; the others are counted.
 */
import type { Log } from "../../base/log.ts";

/** Names of nodes that are remembered, over all clusters. */
const REMEMBERED_MAX = 10_000;
/** Nodes of one report that are named in the log at the most. */
const NAMED_MAX = 5;
/** Characters of a name that are shown or remembered. */
const NAME_CHARS = 64;

export class PassedOverNodes {
  readonly #log: Pick<Log, "warn">;
  readonly #told = new Set<string>();
  /** States passed over since the start. */
  count = 0;

  constructor(log: Pick<Log, "warn">) {
    this.#log = log;
  }

  /** `message` says why; one line for all nodes that it was not said of before. */
  note(message: string, cluster: string, hosts: readonly string[]): void {
    this.count += hosts.length;
    const fresh: string[] = [];
    for (const host of hosts) {
      if (this.#told.size >= REMEMBERED_MAX) break;
      const name = host.slice(0, NAME_CHARS);
      const key = JSON.stringify([message, cluster.slice(0, NAME_CHARS), name]);
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      fresh.push(name);
    }
    if (fresh.length === 0) return;
    this.#log.warn(message, {
      cluster: cluster.slice(0, NAME_CHARS),
      nodes: fresh.length,
      first: fresh.slice(0, NAMED_MAX).join(" "),
    });
  }
}
