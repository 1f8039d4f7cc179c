/**
 * The part of the metric store that a caller may touch. The HTTP server makes it of the
 * caller's credential. By it the engine decides which clusters may be named at all, and
 * the shards which series are visible. Plain data: it crosses threads.
 */

/** How a matcher compares: equal, not equal, matches, does not match. */
export const MATCHER_TYPES = ["EQ", "NEQ", "RE", "NRE"] as const;
export type MatcherType = typeof MATCHER_TYPES[number];

/** The labels of a series. One that a series does not have equals `""`. */
export const LABEL_NAMES = [
  "__name__",
  "cluster",
  "hostname",
  "type",
  "type-id",
  "stype",
  "stype-id",
] as const;
export type LabelName = typeof LABEL_NAMES[number];

/** One condition on one label. */
export interface LabelMatcher {
  readonly type: MatcherType;
  readonly name: LabelName;
  /** For `RE` and `NRE` a pattern in the syntax of RE2, anchored at both ends. */
  readonly value: string;
}

/** A series is selected when all matchers hold. */
export type LabelSelector = readonly LabelMatcher[];

/** The visible part of a cluster. */
export interface ClusterGrant {
  /** A name, or `*`: every cluster. */
  readonly cluster: string;
  /** One of them suffices; none: everything. */
  readonly selectors: readonly LabelSelector[];
}

/** Matchers that may concern one cluster; a view with more is refused. */
export const CLUSTER_MATCHERS_MAX = 1000;

/** A part of an instance: a series is in it when one grant covers the series. */
export interface ScopeView {
  /** Names these grants and no others; values derived from them are kept under it. */
  readonly id: string;
  /** None: nothing is visible. */
  readonly grants: readonly ClusterGrant[];
}

/** Owners of the jobs whose samples are visible: the user and the projects. */
export interface JobOwner {
  readonly user: string;
  readonly projects: readonly string[];
}

/**
 * When samples of the hosts of one cluster may be seen: begin and end of each time
 * in seconds, one after the other, ascending, an end not being in it. A host that is
 * not listed might as well not exist.
 */
export interface HostTimes {
  readonly cluster: string;
  readonly byHost: ReadonlyMap<string, readonly number[]>;
}

export interface DataScope {
  /** `""`: the default instance. */
  readonly instance: string;
  /**
   * Only what was measured on hosts while these jobs ran on them may be seen. Nothing
   * is, until `times` say of the request at hand what that is.
   */
  readonly owner?: JobOwner;
  readonly times?: HostTimes;
  /** Ids that one query may name; absent: the general limit. */
  readonly maxIds?: number;
  /** Absent: everything of the instance. */
  readonly view?: ScopeView;
  /** Series that the instance may have; 0: no limit of its own. */
  readonly maxSeries: number;
  /** Samples that one query may read; 0: no limit of its own. */
  readonly maxQuerySamples: number;
}

/** Everything of the default instance: the scope of a server without tenants. */
export const DEFAULT_SCOPE: DataScope = {
  instance: "",
  maxSeries: 0,
  maxQuerySamples: 0,
};
