/**
 * A shard's answers to the archive: which hosts have samples that are due, and
 * those samples as blocks, host by host and not too many at a time. Changes nothing
 * but the bounds. Owner thread only.
 */
import type { ArchiveBounds } from "./archive_bounds.ts";
import { assert } from "../../base/assert.ts";
import { ByteWriter } from "../persist/byte_text.ts";
import {
  PAGE_SHIFT,
  PAGE_SLOTS,
  RECORD_SHIFT,
  RUN_PAGES,
} from "../store/layout.ts";
import {
  firstSlot,
  headRun,
  levelOf,
  nextRun,
  nominalSec,
  oldestRun,
} from "../store/records.ts";
import { collectAllSeries } from "../catalog/level_tree.ts";
import { hotBlock, leftBlock } from "../store/series_restore.ts";
import type { Ask, Reply } from "../transport/messages.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { ShardOutbox } from "./shard_outbox.ts";

export type ArchiveAsk = Extract<Ask, { kind: `archive-${string}` }>;
type RowsAsk = Extract<Ask, { kind: "archive-rows" }>;

/** Blocks of one answer; some 600,000 samples of a real job. */
const ANSWER_BYTES = 1 << 20;

export class ArchiveRows {
  readonly #registry: SeriesRegistry;
  readonly #outbox: Pick<ShardOutbox, "chunk">;
  readonly #bounds: ArchiveBounds | undefined;
  readonly #writer = new ByteWriter();

  /**
   * `bounds` is `undefined` if nothing is archived; then the engine asks for no rows.
   */
  constructor(
    registry: SeriesRegistry,
    outbox: Pick<ShardOutbox, "chunk">,
    bounds: ArchiveBounds | undefined,
  ) {
    this.#registry = registry;
    this.#outbox = outbox;
    this.#bounds = bounds;
  }

  answer(request: number, ask: ArchiveAsk): Reply {
    const bounds = this.#bounds;
    assert(bounds !== undefined, "only a shard with an archive is asked");
    switch (ask.kind) {
      case "archive-fence":
        bounds.refuseBefore(ask.oldestSec);
        return { kind: "archive-fence" };
      case "archive-hosts":
        return { kind: "archive-hosts", clusters: this.#hosts(ask.toSec) };
      case "archive-rows":
        return { kind: "archive-rows", last: this.#rows(request, ask) };
      case "archive-done":
        bounds.archivedBeforeSec = ask.toSec;
        return { kind: "archive-done" };
    }
  }

  /** Hosts that hold a slot before `toSec`. */
  #hosts(toSec: number) {
    const { table, tree } = this.#registry;
    const byCluster = new Map<
      string,
      { instance: string; cluster: string; hosts: Set<string> }
    >();
    for (let series = 0; series < table.seriesEnd; series++) {
      if (!table.isAlive(series) || !this.#beginsBefore(series, toSec)) {
        continue;
      }
      const { host } = tree.level(levelOf(table, series));
      const { instance, cluster } = host;
      const key = `${instance}\0${cluster}`;
      let found = byCluster.get(key);
      if (found === undefined) {
        byCluster.set(key, found = { instance, cluster, hosts: new Set() });
      }
      found.hosts.add(host.name);
    }
    return [...byCluster.values()].map((one) => ({
      ...one,
      hosts: [...one.hosts],
    }));
  }

  #beginsBefore(series: number, toSec: number): boolean {
    const run = oldestRun(this.#registry.table, series);
    return run !== 0 && this.#beginOf(series, run) < toSec;
  }

  /** Nominal time of a run's first slot in use. */
  #beginOf(series: number, run: number): number {
    const { table } = this.#registry;
    return nominalSec(table, series, run, firstSlot(table, run));
  }

  /**
   * Sends series of the host in the order of their ids, beginning behind the one
   * that the last answer ended with: series that come or go meanwhile neither
   * repeat nor hide another. Returns the last one sent; -1: there are no more.
   */
  #rows(request: number, ask: RowsAsk): number {
    const host = this.#registry.tree.host(ask.instance, ask.cluster, ask.host);
    if (host === undefined) return -1;
    const all = new Set<number>();
    collectAllSeries(host, all);
    const writer = this.#writer;
    writer.clear();
    let last = -1;
    for (const series of [...all].sort((a, b) => a - b)) {
      if (series <= ask.afterSeries) continue;
      if (writer.length >= ANSWER_BYTES) {
        this.#outbox.chunk(request, writer.bytes);
        return last;
      }
      if (this.#beginsBefore(series, ask.toSec)) this.#writeSeries(series, ask);
      last = series;
    }
    this.#outbox.chunk(request, writer.bytes);
    return -1;
  }

  #writeSeries(series: number, ask: RowsAsk): void {
    const entry = this.#registry.describe(series);
    const writer = this.#writer;
    writer.text(entry.type);
    writer.text(entry.typeId);
    writer.text(entry.subtype);
    writer.text(entry.subtypeId);
    writer.text(entry.metric);
    writer.u32(entry.frequencySec);
    const countAt = writer.length;
    writer.u32(0);
    const { table } = this.#registry;
    let blocks = 0;
    let run = oldestRun(table, series);
    while (run !== 0 && this.#beginOf(series, run) < ask.toSec) {
      blocks += this.#writeRun(series, run, ask);
      run = nextRun(table, run);
    }
    writer.view.setUint32(countAt, blocks, true);
  }

  /** Writes the pages of a run that may have slots in the range. Returns how many. */
  #writeRun(series: number, run: number, ask: RowsAsk): number {
    const { table } = this.#registry;
    const writer = this.#writer;
    const runAt = run << RECORD_SHIFT;
    const isHead = run === headRun(table, series);
    const newest = (table.runLength(series, run) - 1) >> PAGE_SHIFT;
    let blocks = 0;
    for (let page = 0; page <= newest; page++) {
      const slot = page << PAGE_SHIFT;
      const beginSec = nominalSec(table, series, run, slot);
      if (beginSec >= ask.toSec) break;
      const endSec = nominalSec(table, series, run, slot + PAGE_SLOTS);
      if (endSec <= ask.fromSec) continue;
      const block = isHead && page === newest
        ? hotBlock(table, series)
        : leftBlock(table, table.runWords[runAt + RUN_PAGES + page]!);
      if (block === undefined) continue;
      writer.f64(beginSec);
      writer.u32(block.length);
      writer.raw(block);
      blocks++;
    }
    return blocks;
  }
}
