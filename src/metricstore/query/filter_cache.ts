/**
 * Compiled filters by view and cluster, least recently used first out, so that a
 * policy is compiled once per shard and not once per question. Owner thread only.
 */
import {
  CLUSTER_MATCHERS_MAX,
  type ClusterGrant,
} from "../engine/data_scope.ts";
import { ClientError } from "../../base/errors.ts";
import type { AskedView } from "../transport/messages.ts";
import { SeriesFilter } from "./series_filter.ts";

/** Filters kept, and matchers of all of them: their patterns are what takes memory. */
const FILTERS_MAX = 256;
const KEPT_MATCHERS_MAX = 4 * CLUSTER_MATCHERS_MAX;

export class FilterCache {
  /** In order of use. */
  readonly #filters = new Map<string, SeriesFilter>();
  #matchers = 0;

  /**
   * The filter of a view for a cluster; `undefined`: there is no view, everything
   * is shown. Throws a {@linkcode ClientError} (403) where the view is too large.
   */
  of(
    view: AskedView | undefined,
    cluster: string,
  ): SeriesFilter | undefined {
    if (view === undefined) return undefined;
    const key = `${cluster}\0${view.id}`;
    const known = this.#filters.get(key);
    const filter = known ??
      new SeriesFilter(JSON.parse(view.grants) as ClusterGrant[], cluster);
    if (filter.matchers > CLUSTER_MATCHERS_MAX) {
      throw new ClientError(
        "E_FORBIDDEN",
        `the access policy has ${filter.matchers} matchers for a cluster, at most ${CLUSTER_MATCHERS_MAX} are evaluated`,
      );
    }
    if (known === undefined) this.#matchers += filter.matchers;
    this.#filters.delete(key);
    this.#filters.set(key, filter);
    this.#trim();
    return filter;
  }

  #trim(): void {
    for (const [key, filter] of this.#filters) {
      if (
        this.#filters.size <= FILTERS_MAX && this.#matchers <= KEPT_MATCHERS_MAX
      ) return;
      this.#filters.delete(key);
      this.#matchers -= filter.matchers;
    }
  }
}
