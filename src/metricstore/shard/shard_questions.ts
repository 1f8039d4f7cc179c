/**
 * Questions to one shard that are not writes: answers go back as pieces of JSON
 * and a reply. Owner thread only.
 */
import { nowSec } from "../../base/clock.ts";
import { dumpHosts, dumpLevel, findLevel } from "../query/debug_dump.ts";
import { JsonWriter } from "../query/json_writer.ts";
import { FilterCache } from "../query/filter_cache.ts";
import { nodeHealth } from "../query/node_health.ts";
import { QueryAnswerer } from "../query/answer_queries.ts";
import type { Turns } from "../query/turns.ts";
import type { Ask, AskedView, Reply } from "../transport/messages.ts";
import type { EngineOptions, NodeHealth } from "../engine/metric_engine.ts";
import type { ArchiveRows } from "./archive_rows.ts";
import {
  describeFreed,
  freeAtAndBelow,
  shownAtAndBelow,
} from "./free_selectors.ts";
import type { ShardPersistence } from "./shard_persistence.ts";
import type { SeriesRegistry } from "../catalog/series_registry.ts";
import type { ShardOutbox } from "./shard_outbox.ts";
import type { StatsBlock } from "../transport/shard_stats.ts";
import type { HostName } from "./protected_hosts.ts";

type AskOf<Kind extends Ask["kind"]> = Extract<Ask, { kind: Kind }>;

export interface ShardQuestionsOptions {
  readonly engine: EngineOptions;
  readonly registry: SeriesRegistry;
  readonly outbox: ShardOutbox;
  readonly stats: StatsBlock;
  readonly persistence: ShardPersistence | undefined;
  /** The oldest time of a host that readers may see, seconds. */
  readonly horizon: (nowSec: number, host: HostName) => number;
  readonly archive: ArchiveRows;
  readonly turns: Turns;
}

export class ShardQuestions {
  readonly #registry: SeriesRegistry;
  readonly #persistence: ShardPersistence | undefined;
  readonly #horizon: (nowSec: number, host: HostName) => number;
  readonly #answerer: QueryAnswerer;
  readonly #stats: StatsBlock;
  readonly #json: JsonWriter;
  readonly #filters = new FilterCache();
  readonly #archive: ArchiveRows;
  readonly #turns: Turns;
  /** The question whose answer `#json` holds pieces of. */
  #request = 0;

  constructor(options: ShardQuestionsOptions) {
    const { engine, registry, outbox, turns } = options;
    this.#archive = options.archive;
    this.#turns = turns;
    this.#persistence = options.persistence;
    this.#registry = registry;
    this.#horizon = options.horizon;
    this.#answerer = new QueryAnswerer(registry, engine, turns);
    this.#stats = options.stats;
    this.#json = new JsonWriter((piece) => outbox.chunk(this.#request, piece));
  }

  answer(request: number, ask: Ask): Reply {
    this.#request = request;
    this.#turns.begin();
    const reply = this.#answer(ask);
    this.#json.flush();
    return reply;
  }

  /** Drops what an answer that failed has written but not handed over. */
  discard(): void {
    this.#json.discard();
  }

  #answer(ask: Ask): Reply {
    switch (ask.kind) {
      case "query":
        return this.#query(ask);
      case "hosts":
        return this.#hosts(ask);
      case "free":
        return this.#free(ask);
      case "debug":
        return this.#debug(ask);
      case "health":
        return this.#health(ask);
      case "archive-fence":
      case "archive-hosts":
      case "archive-rows":
      case "archive-done":
        return this.#archive.answer(this.#request, ask);
      case "protect":
        return { kind: "protect" };
      case "metrics":
        this.#registry.catalog.add(ask.added);
        return { kind: "metrics" };
      case "clean-up":
        return { kind: "clean-up" };
      case "close":
        return { kind: "close" };
    }
  }

  #hosts(ask: AskOf<"hosts">): Reply {
    const { tree, catalog } = this.#registry;
    const filter = this.#filters.of(ask.view, ask.cluster);
    const hosts = tree.hosts(ask.instance, ask.cluster);
    return {
      kind: "hosts",
      hosts: filter === undefined
        ? [...hosts.keys()]
        : [...hosts.values()].filter((host) => filter.showsHost(host, catalog))
          .map((host) => host.name),
    };
  }

  #query(ask: AskOf<"query">): Reply {
    const now = nowSec();
    const answerer = this.#answerer;
    const lengths = answerer.answer(
      {
        instance: ask.instance,
        filter: this.#filters.of(ask.view, ask.request.cluster),
        maxSamples: ask.maxSamples,
        times: ask.times && new Map(ask.times),
      },
      ask.request,
      (host) => this.#horizon(now, host),
      this.#json,
      ask.forAll,
    );
    this.#stats.add("queriesTotal", lengths.length);
    this.#stats.add("samplesReadTotal", answerer.samplesRead);
    this.#stats.set("mixedLevelQueriesTotal", answerer.mixedLevelQueries);
    return { kind: "query", lengths, samples: answerer.samplesRead };
  }

  /**
   * Frees selectors. The log has them first: a start must not bring the samples back.
   */
  #free(ask: AskOf<"free">): Reply {
    const { instance, toSec } = ask;
    if (ask.view !== undefined) return this.#freeShown(ask, ask.view);
    this.#persistence?.logFree((wal) => {
      for (const path of ask.selectors) wal.free({ instance, path, toSec });
    });
    let removed = 0;
    for (const path of ask.selectors) {
      removed += freeAtAndBelow(this.#registry, instance, path, toSec);
    }
    return { kind: "free", removed };
  }

  /**
   * Frees the visible series. The log has their names, since the view may show others
   * at the next start.
   */
  #freeShown(ask: AskOf<"free">, view: AskedView): Reply {
    const { instance, toSec } = ask;
    const series = new Set(
      ask.selectors.flatMap((path) =>
        shownAtAndBelow(
          this.#registry,
          instance,
          path,
          (cluster) => this.#filters.of(view, cluster),
        )
      ),
    );
    this.#persistence?.logFree((wal) => {
      for (const record of describeFreed(this.#registry, series, toSec)) {
        wal.freeSeries(record);
      }
    });
    let removed = 0;
    for (const one of series) removed += this.#registry.freeBefore(one, toSec);
    return { kind: "free", removed };
  }

  #debug(ask: AskOf<"debug">): Reply {
    const [cluster, ...path] = ask.selector;
    const clustersShown = ask.clusters && new Set(ask.clusters);
    const all = this.#registry.tree.clusters(ask.instance);
    const clusters: { name: string; bytes: number }[] = [];
    if (path.length > 0) {
      const hosts = cluster === undefined ? undefined : all.get(cluster);
      const level = hosts && findLevel(hosts, path);
      if (level !== undefined) dumpLevel(this.#registry, level, this.#json);
      return { kind: "debug", found: level !== undefined, clusters };
    }
    for (const [name, hosts] of all) {
      if (cluster !== undefined && name !== cluster) continue;
      if (clustersShown?.has(name) === false) continue;
      const before = this.#json.written;
      dumpHosts(this.#registry, hosts, this.#json, this.#turns);
      clusters.push({ name, bytes: this.#json.written - before });
    }
    return { kind: "debug", found: clusters.length > 0, clusters };
  }

  #health(ask: AskOf<"health">): Reply {
    const { table, tree, catalog } = this.#registry;
    const metrics = catalog.of(ask.cluster);
    const filter = this.#filters.of(ask.view, ask.cluster);
    const now = nowSec();
    // If the question names no metrics, hidden names stay unsaid.
    const expectedOf = (host: string) =>
      ask.metrics ??
        [...metrics.keys()].filter((name) =>
          filter?.at(name, host).showsNothing !== true
        );
    const times = ask.times && new Map(ask.times);
    const nodes = ask.nodes.map((name): NodeHealth => {
      const host = tree.host(ask.instance, ask.cluster, name);
      const sinceSec = times === undefined ? -Infinity : times.get(name)?.[0];
      if (
        host === undefined || sinceSec === undefined ||
        filter?.showsHost(host, catalog) === false
      ) return { state: "failed", known: false, degraded: [], missing: [] };
      const expected = expectedOf(name);
      // Each of them is looked for at every level of the host.
      this.#turns.spend(1000 + 100 * expected.length);
      return nodeHealth(
        table,
        host,
        expected,
        metrics,
        now,
        filter,
        sinceSec,
      );
    });
    return { kind: "health", nodes };
  }
}
