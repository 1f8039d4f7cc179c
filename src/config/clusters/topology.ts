/**
 * Which hardware threads make up the units of a node. Units are numbered by
 * their place in the lists of `cluster.json`; real lists have gaps: threads that
 * belong to no core, and cores whose thread the node does not list. Immutable.
 */

/** Units that are made of hardware threads. */
export type ThreadUnit = "socket" | "memoryDomain" | "core";

export interface Accelerator {
  /** As in the `type-id` tag, such as a PCI address. */
  readonly id: string;
  readonly type: string;
  readonly model: string;
}

/** The lists as they are in the file. */
export interface TopologyLists {
  readonly node: readonly number[];
  readonly socket: readonly (readonly number[])[];
  readonly memoryDomain: readonly (readonly number[])[];
  readonly die: readonly (readonly number[])[];
  readonly core: readonly (readonly number[])[];
  readonly accelerators: readonly Accelerator[];
}

export class Topology {
  readonly lists: TopologyLists;
  readonly #unitOf: Readonly<Record<ThreadUnit, ReadonlyMap<number, number>>>;

  constructor(lists: TopologyLists) {
    this.lists = lists;
    this.#unitOf = {
      socket: unitByThread(lists.socket),
      memoryDomain: unitByThread(lists.memoryDomain),
      core: unitByThread(lists.core),
    };
  }

  /** The unit that a thread belongs to; the first, should there be several. */
  unitOf(kind: ThreadUnit, thread: number): number | undefined {
    return this.#unitOf[kind].get(thread);
  }

  /** The threads of a unit; none for a number that no unit has. */
  threadsOf(kind: ThreadUnit, unit: number): readonly number[] {
    return this.lists[kind][unit] ?? [];
  }

  /** Numbers of the units that have at least one of the threads, ascending. */
  unitsTouching(kind: ThreadUnit, threads: Iterable<number>): number[] {
    const wanted = new Set(threads);
    return [...this.lists[kind].keys()].filter((unit) =>
      this.threadsOf(kind, unit).some((thread) => wanted.has(thread))
    );
  }
}

function unitByThread(
  units: readonly (readonly number[])[],
): ReadonlyMap<number, number> {
  const unitOf = new Map<number, number>();
  units.forEach((threads, unit) => {
    for (const thread of threads) {
      if (!unitOf.has(thread)) unitOf.set(thread, unit);
    }
  });
  return unitOf;
}
