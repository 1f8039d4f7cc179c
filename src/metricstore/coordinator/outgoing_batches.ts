/**
 * Batches that shards are reading: those of which a part was sent and the last
 * report has not come. Main thread only.
 */
export class OutgoingBatches {
  readonly #open = new Set<number>();
  /** Callers that wait for batches to end: the ids still open, and their call back. */
  readonly #awaited = new Map<Set<number>, () => void>();

  /** The batch is open until its report is there. */
  begin<Report>(id: number, report: Promise<Report>): Promise<Report> {
    this.#open.add(id);
    const end = () => this.end(id);
    report.then(end, end);
    return report;
  }

  end(id: number): void {
    if (!this.#open.delete(id)) return;
    for (const [ids, resolve] of this.#awaited) {
      if (!ids.delete(id) || ids.size > 0) continue;
      this.#awaited.delete(ids);
      resolve();
    }
  }

  /** Resolves when those that are open now have ended. */
  async allEnded(): Promise<void> {
    if (this.#open.size === 0) return;
    const ids = new Set(this.#open);
    await new Promise<void>((resolve) => this.#awaited.set(ids, resolve));
  }
}
