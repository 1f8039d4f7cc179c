/**
 * Takes cluster files and configuration anew while the server runs, by the checks of
 * a start: all of what can be taken, or nothing. Main thread, one at a time.
 */
import { slotSlackSec } from "../../metricstore/shard/archive_bounds.ts";
import { clusterJson } from "../../config/clusters/cluster_json.ts";
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import { loadSetup, type Setup } from "../../config/clusters/load_setup.ts";
import {
  compareMetrics,
  type MetricChanges,
  withMetrics,
} from "../../config/clusters/metric_changes.ts";
import { compareConfigs } from "../../config/settings/reloadable.ts";
import type { Config } from "../../config/settings/mod.ts";
import type {
  MetricTable,
  StoreEngine,
} from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";
import type { ReloadReport } from "../../admin/tenants/reload_route.ts";
import { errorText, type Log } from "../../base/log.ts";

export interface ReloadOptions {
  readonly configFile: string;
  readonly setup: Setup;
  readonly engine: Pick<StoreEngine, "addMetrics">;
  /** Takes the values that the HTTP server obeys. */
  readonly reconfigure: (main: Config["main"]) => void;
  /** Told of the clusters that are configured from now on. */
  readonly configured: (clusters: readonly string[]) => Promise<void>;
  readonly log: Pick<Log, "info" | "warn" | "err">;
}

export class Reload {
  readonly #options: ReloadOptions;
  #config: Config;
  #metrics: MetricTable;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#config = options.setup.config;
    this.#metrics = options.setup.metrics;
  }

  /**
   * Reads everything and puts into force what may change. Rejects with a
   * `ClientError` where that was refused: all is as it was then, and the log says why.
   */
  run(): Promise<ReloadReport> {
    const done = this.#running.then(() => this.#reload());
    this.#running = done.catch(() => {});
    return done;
  }

  async #reload(): Promise<ReloadReport> {
    const { log } = this.#options;
    try {
      const report = await this.#take(this.#read());
      log.info("reloaded", { changed: report.reloaded });
      if (report.needs_restart.length > 0) {
        log.warn("some changes count after a restart only", {
          keys: report.needs_restart,
        });
      }
      return report;
    } catch (error) {
      log.err("not reloaded: everything is as it was", {
        reason: errorText(error),
      });
      throw error;
    }
  }

  #read(): Setup {
    try {
      return loadSetup(this.#options.configFile);
    } catch (cause) {
      throw refused([errorText(cause)], cause);
    }
  }

  async #take(read: Setup): Promise<ReloadReport> {
    const { setup, engine, reconfigure, configured, log } = this.#options;
    const changes = compareMetrics(this.#metrics, read.metrics);
    const problems = this.#problems(changes);
    if (problems.length > 0) throw refused(problems);
    const keys = compareConfigs(setup.config, this.#config, read.config);
    const clusters = changedClusters(setup.clusters, read.clusters);
    // The only step that may fail comes first.
    if (changes.addedNames.length > 0) await engine.addMetrics(changes.added);
    this.#metrics = withMetrics(this.#metrics, changes.added);
    setup.clusters.replace(read.clusters);
    this.#config = read.config;
    reconfigure(read.config.main);
    for (const { level, message } of read.notes) log[level](message);
    await configured([
      ...read.clusters.names,
      ...Object.keys(read.config.clusters),
    ]);
    return {
      reloaded: [
        ...keys.reloadable,
        ...clusters.map((name) => `cluster ${name}`),
        ...changes.addedNames.map((name) => `metric ${name}`),
      ],
      needs_restart: [
        ...keys.needsRestart,
        ...changes.missing.map((name) => `metric ${name} (removed)`),
      ],
    };
  }

  #problems({ added, conflicts }: MetricChanges): string[] {
    const slackSec = slotSlackSec(withMetrics(this.#metrics, added));
    const { cleanup } = this.#options.setup.config["metric-store"];
    return cleanup.mode === "archive" && slackSec > slotSlackSec(this.#metrics)
      ? [
        ...conflicts,
        "with cleanup.mode archive a metric of a longer frequency than all others needs a restart",
      ]
      : [...conflicts];
  }
}

/** Names of those that are new, gone, or described differently. */
function changedClusters(old: ClusterCatalog, read: ClusterCatalog): string[] {
  const names = new Set([...old.names, ...read.names]);
  const textOf = (catalog: ClusterCatalog, name: string) => {
    const cluster = catalog.get(name);
    return cluster && JSON.stringify(clusterJson(cluster));
  };
  return [...names].filter((name) => textOf(old, name) !== textOf(read, name))
    .sort();
}

function refused(problems: readonly string[], cause?: unknown): ClientError {
  return new ClientError("E_UNPROCESSABLE", problems.join("; "), { cause });
}
