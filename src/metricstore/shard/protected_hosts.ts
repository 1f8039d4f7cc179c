/**
 * The shard's hosts that have running jobs: the retention neither hides nor frees
 * their samples (metric-store 7.7, settled 5). Owner thread only.
 */

/** Enough of a level to know whose it is. */
export interface HostName {
  readonly instance: string;
  readonly cluster: string;
  readonly name: string;
}

export class ProtectedHosts {
  #hosts: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #isKnown: boolean;

  /** `isAwaited`: a call of `set` will follow; until then nothing is to be freed. */
  constructor(isAwaited: boolean) {
    this.#isKnown = !isAwaited;
  }

  /** Whether the protected hosts are known. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Clusters with names of hosts; all others are protected no more. */
  set(hosts: readonly (readonly [string, readonly string[]])[]): void {
    this.#hosts = new Map(
      hosts.map(([cluster, names]) => [cluster, new Set(names)]),
    );
    this.#isKnown = true;
  }

  /** Jobs run in the default instance only. */
  has({ instance, cluster, name }: HostName): boolean {
    return instance === "" && this.#hosts.size > 0 &&
      this.#hosts.get(cluster)?.has(name) === true;
  }
}
