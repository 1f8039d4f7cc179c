/**
 * Makes changes to instances, policies and tokens one after the other, so that what
 * one has checked still holds when it writes, and lets each act before it is
 * answered. Main thread.
 */
import type { AccessTable } from "../../access/access_control.ts";

export type ChangedTable = Exclude<AccessTable, "users">;

/** Resolves when all that was written to these tables so far is in force. */
export type Applied = (tables: readonly ChangedTable[]) => Promise<void>;

export class Changes {
  readonly #applied: Applied;
  #last: Promise<unknown> = Promise.resolve();

  constructor(applied: Applied) {
    this.#applied = applied;
  }

  /**
   * Does `work`, which changes these tables, when what came before it is done;
   * resolves when it is in force.
   */
  make<Result>(
    tables: readonly ChangedTable[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    const done = this.#last.then(async () => {
      const result = await work();
      await this.#applied(tables);
      return result;
    });
    // The next one does not care how this one went; its caller is told.
    this.#last = done.catch(() => {});
    return done;
  }
}
