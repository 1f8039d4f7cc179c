/**
 * One question for series, answered in pieces: first the series that match are
 * gathered, then their samples are read into frames. It stops when its time is over
 * or its ring is full and goes on later; between two calls it holds numbers of series
 * and nothing of blocks or runs, so that the store may change meanwhile. Owner thread
 * only.
 */
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import { frequencyOf, levelOf, metricOf } from "../store/records.ts";
import type { HostLevel, Level } from "../catalog/level_tree.ts";
import type { Metric } from "../catalog/metric_catalog.ts";
import {
  ALL_SERIES,
  type AskSeries,
  LABEL_NAMES_ONLY,
  type SeriesLabels,
} from "../transport/selection_messages.ts";
import { SeriesFrame } from "../transport/series_frame.ts";
import { hasSample, readSamples } from "./read_samples.ts";
import type { HostFilter, SeriesFilter } from "./series_filter.ts";
import { levelLabel, type SeriesMatchers } from "./series_matchers.ts";

/** The parts of a shard that a selection needs. */
export interface SelectionStore {
  readonly registry: SeriesRegistry;
  /** Returns the visible part of a cluster; `undefined`: everything. */
  filterOf(cluster: string): SeriesFilter | undefined;
  /** Readers see nothing of the host before it, seconds; -Infinity: everything. */
  horizonSec(host: HostLevel): number;
}

export type SelectionState = "working" | "waiting" | "done";

/** Above so many metrics the series of a level are walked instead of looked up. */
const LOOK_UP_METRICS = 8;
/** Levels of a host that are looked at without a stop. */
const LEVELS_A_STEP = 32;

/** A series of which a frame has said that it goes on. */
interface Promised {
  readonly labels: SeriesLabels;
  readonly frequencySec: number;
  /** Time of the last sample that was sent. */
  readonly sentMs: number;
}

export class SeriesSelection {
  readonly #store: SelectionStore;
  readonly #ask: AskSeries;
  readonly #matchers: SeriesMatchers;
  readonly #frame = new SeriesFrame();
  readonly #gathering: Iterator<void>;
  #isGathered = false;
  /** -1: the series ended meanwhile. */
  #found = new Int32Array(64);
  #count = 0;
  #levels = 0;
  /** Samples that were read. */
  samples = 0;
  /** The series that is read next. */
  #next = 0;
  /** The rest of it that the last frame has promised. */
  #promised: Promised | undefined;
  /** Values of a label, or sets of names, that a series came for. */
  readonly #told = new Set<string>();

  constructor(
    store: SelectionStore,
    ask: AskSeries,
    matchers: SeriesMatchers,
  ) {
    this.#store = store;
    this.#ask = ask;
    this.#matchers = matchers;
    this.#gathering = this.#gather();
  }

  /** These series ended, and their numbers will mean others. */
  forget(ended: ReadonlySet<number>): void {
    for (let i = this.#next; i < this.#count; i++) {
      if (ended.has(this.#found[i]!)) this.#found[i] = -1;
    }
  }

  /**
   * Works until `isDue`, which is asked about every ten microseconds. `send` takes a
   * frame, or returns `false` where there is no room: then the state is "waiting".
   */
  work(
    isDue: () => boolean,
    send: (frame: SeriesFrame) => boolean,
  ): SelectionState {
    while (!this.#isGathered) {
      if (this.#gathering.next().done === true) this.#isGathered = true;
      if (isDue()) return "working";
    }
    while (this.#next < this.#count) {
      if (this.#frame.isFull && !send(this.#frame)) return "waiting";
      this.#readNext();
      if (isDue()) return "working";
    }
    if (!this.#frame.isEmpty && !send(this.#frame)) return "waiting";
    return "done";
  }

  /** Reads of the next series what the frame still takes. */
  #readNext(): void {
    const series = this.#found[this.#next]!;
    const { table, catalog, tree } = this.#store.registry;
    if (series < 0 || !table.isAlive(series)) {
      this.#endPromised();
      return this.#goOn();
    }
    const level = tree.level(levelOf(table, series));
    const metric = catalog.metric(metricOf(table, series));
    const horizonSec = this.#store.horizonSec(level.host);
    const afterSec = Math.max(
      this.#ask.afterMs / 1000,
      (this.#promised?.sentMs ?? -Infinity) / 1000,
      // Times are whole seconds: from the horizon on means after the second before.
      Math.ceil(horizonSec) - 1,
    );
    const untilSec = this.#ask.untilMs / 1000;
    const frame = this.#frame;
    const frequencySec = frequencyOf(table, series);
    const { onlyNames } = this.#ask;
    if (onlyNames !== undefined) {
      const key = keyOf(level, metric, onlyNames);
      // A key that was told before needs no second read.
      if (
        !this.#told.has(key) && hasSample(table, series, afterSec, untilSec)
      ) {
        if (onlyNames !== ALL_SERIES) this.#told.add(key);
        frame.end(labelsOf(level, metric), frequencySec, 0, false);
      }
      return this.#goOn();
    }
    const before = frame.count;
    const goesOn = readSamples(table, series, afterSec, untilSec, frame);
    const samples = frame.count - before;
    this.samples += samples;
    if (samples === 0 && !goesOn) {
      this.#endPromised();
      return this.#goOn();
    }
    const labels = labelsOf(level, metric);
    frame.end(labels, frequencySec, samples, goesOn);
    if (!goesOn) return this.#goOn();
    const sentMs = samples > 0
      ? frame.timesMs[frame.count - 1]!
      : this.#promised?.sentMs ?? -Infinity;
    this.#promised = { labels, frequencySec, sentMs };
  }

  /** The reader waits for the rest of a series that is no more. */
  #endPromised(): void {
    if (this.#promised === undefined) return;
    const { labels, frequencySec } = this.#promised;
    this.#frame.end(labels, frequencySec, 0, false);
  }

  #goOn(): void {
    this.#next++;
    this.#promised = undefined;
  }

  /**
   * Finds the series host by host, and stops after each of them and now and then
   * within. Levels may go and come meanwhile: a level that goes has no series left, and
   * the maps that are walked leave it out.
   */
  *#gather(): Generator<void> {
    const matchers = this.#matchers;
    if (matchers.isImpossible) return;
    const { tree, catalog } = this.#store.registry;
    for (const [cluster, hosts] of tree.clusters(this.#ask.instance)) {
      if (!matchers.matchesCluster(cluster)) continue;
      const metrics = [...catalog.of(cluster).values()]
        .filter(({ name }) => matchers.matchesMetric(name));
      if (metrics.length === 0) continue;
      const filter = this.#store.filterOf(cluster);
      const only = matchers.host;
      const one = only === undefined ? undefined : hosts.get(only);
      const candidates = only === undefined
        ? hosts.values()
        : one === undefined
        ? []
        : [one];
      for (const host of candidates) {
        if (matchers.matchesHost(host.name)) {
          yield* this.#gatherHost(host, metrics, filter);
        }
        yield;
      }
    }
  }

  *#gatherHost(
    host: HostLevel,
    metrics: readonly Metric[],
    filter: SeriesFilter | undefined,
  ): Generator<void> {
    const shown = new Map<number, HostFilter | undefined>();
    for (const { id, name } of metrics) {
      const one = filter?.at(name, host.name);
      if (one?.showsNothing !== true) shown.set(id, one);
    }
    if (shown.size > 0) yield* this.#gatherLevel(host, shown);
  }

  *#gatherLevel(
    level: Level,
    shown: ReadonlyMap<number, HostFilter | undefined>,
  ): Generator<void> {
    this.#addLevel(level, shown);
    for (const child of level.children?.values() ?? []) {
      if (child.children === undefined) this.#addLevel(child, shown);
      else yield* this.#gatherLevel(child, shown);
      if (++this.#levels % LEVELS_A_STEP === 0) yield;
    }
  }

  #addLevel(
    level: Level,
    shown: ReadonlyMap<number, HostFilter | undefined>,
  ): void {
    if (!this.#matchers.matchesLevel(level)) return;
    if (shown.size <= LOOK_UP_METRICS) {
      for (const [metric, filter] of shown) {
        this.#add(level, level.series.get(metric), filter);
      }
    } else {
      for (const [metric, series] of level.series) {
        if (shown.has(metric)) this.#add(level, series, shown.get(metric));
      }
    }
  }

  #add(
    level: Level,
    series: number | undefined,
    filter: HostFilter | undefined,
  ): void {
    if (series === undefined || filter?.shows(level) === false) return;
    if (this.#count === this.#found.length) {
      const larger = new Int32Array(this.#found.length * 2);
      larger.set(this.#found);
      this.#found = larger;
    }
    this.#found[this.#count++] = series;
  }
}

/** Returns the labels of a series. */
function labelsOf(level: Level, metric: Metric): SeriesLabels {
  const { host } = level;
  return [
    metric.name,
    host.cluster,
    host.name,
    levelLabel(level, "type"),
    levelLabel(level, "type_id"),
    levelLabel(level, "stype"),
    levelLabel(level, "stype_id"),
  ];
}

/** Returns the part of the labels that is asked for: one series of each is enough. */
function keyOf(level: Level, metric: Metric, onlyNames: string): string {
  switch (onlyNames) {
    case ALL_SERIES:
      return "";
    case LABEL_NAMES_ONLY:
      return NAMES_OF_LEVEL.map((name) =>
        levelLabel(level, name) === "" ? 0 : 1
      )
        .join("");
    case "__name__":
      return metric.name;
    case "cluster":
      return level.host.cluster;
    case "hostname":
      return level.host.name;
    default:
      return NAMES_OF_LEVEL.some((name) => name === onlyNames)
        ? levelLabel(level, onlyNames)
        : "";
  }
}

/** The labels that not all series have. */
const NAMES_OF_LEVEL = ["type", "type_id", "stype", "stype_id"] as const;
