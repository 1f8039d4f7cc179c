/**
 * Batches that shards are reading: those of which a part was sent and the last
 * report has not come. Main thread only.
 */
export class OpenBatchSet {
  readonly #ends = new Map<number, PromiseWithResolvers<void>>();

  /** The batch is open until its report is there. */
  begin<Report>(id: number, report: Promise<Report>): Promise<Report> {
    this.#ends.set(id, Promise.withResolvers());
    return report.finally(() => this.end(id));
  }

  end(id: number): void {
    this.#ends.get(id)?.resolve();
    this.#ends.delete(id);
  }

  /** Resolves when those that are open now have ended. */
  async allEnded(): Promise<void> {
    await Promise.all([...this.#ends.values()].map(({ promise }) => promise));
  }
}
