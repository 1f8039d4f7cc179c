/**
 * Asks cc-backend which nodes have running jobs: their samples are spared from
 * freeing (contract 7.7). Main thread only.
 *
 * Both shapes are understood: `{"fritz":["f0201"]}`, which upstream's store
 * expects, and `{"usedNodes":{"fritz":["f0201"]}}`, which cc-backend sends. While
 * the backend cannot be asked, its last answer holds for one more retention
 * period; after that nothing is spared.
 */
import { z } from "zod";

const TIMEOUT_MS = 10_000;

const nodesByCluster = z.record(z.string(), z.array(z.string()));
const answer = z.union([
  z.object({ usedNodes: nodesByCluster }).transform((it) => it.usedNodes),
  nodesByCluster,
]);

/** Host names by cluster. */
export type UsedNodes = Readonly<Record<string, readonly string[]>>;

export interface NodeProviderOptions {
  /** `main.backend-url`, without a trailing path. */
  readonly backendUrl: string;
  /** `main.backend-token`; `""`: none is sent. */
  readonly token: string;
  readonly retentionSec: number;
  /** Told of every failure, with the reason. */
  readonly onFailure: (reason: string) => void;
  readonly fetch?: typeof fetch;
}

export class NodeProvider {
  readonly #options: NodeProviderOptions;
  #last: UsedNodes = {};
  #lastSec = -Infinity;

  constructor(options: NodeProviderOptions) {
    this.#options = options;
  }

  /** The nodes to spare from freeing what is older than `limitSec`. */
  async nodes(limitSec: number, nowSec: number): Promise<UsedNodes> {
    try {
      this.#last = await this.#ask(limitSec);
      this.#lastSec = nowSec;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onFailure(reason);
      if (nowSec - this.#lastSec > this.#options.retentionSec) this.#last = {};
    }
    return this.#last;
  }

  async #ask(limitSec: number): Promise<UsedNodes> {
    const { backendUrl, token } = this.#options;
    const url = new URL("/api/jobs/used_nodes", backendUrl);
    url.searchParams.set("ts", String(limitSec));
    const response = await (this.#options.fetch ?? fetch)(url, {
      headers: token === "" ? {} : { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the backend answers ${response.status}`);
    }
    return answer.parse(await response.json());
  }
}
