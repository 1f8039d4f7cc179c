/**
 * Filters of jobs as parameters of a URL (web 4.4), by the names that links to
 * ClusterCockpit have. One codec for pages and routes: what is formatted here is
 * parsed here to the same filter. Pure, in the server and in browsers alike.
 *
 * A value that is wrong is a problem that names it; it is never left out in silence.
 * An empty value says nothing, as in upstream's links.
 */

export const JOB_STATE_NAMES = [
  "boot_fail",
  "cancelled",
  "completed",
  "deadline",
  "failed",
  "node_fail",
  "out_of_memory",
  "pending",
  "preempted",
  "running",
  "suspended",
  "timeout",
] as const;
export type JobStateName = typeof JOB_STATE_NAMES[number];

export const SHARED_NAMES = ["none", "single_user", "multi_user"] as const;
export const SCHEDULES = ["day", "night", "interactive"] as const;
export const START_RANGES = ["last6h", "last24h", "last7d", "last30d"] as const;
export const LEVELS = ["caution", "alert"] as const;

/** Seconds that a named range of start times reaches back. */
export const START_RANGE_SEC: Readonly<
  Record<typeof START_RANGES[number], number>
> = {
  last6h: 6 * 3600,
  last24h: 24 * 3600,
  last7d: 7 * 86_400,
  last30d: 30 * 86_400,
};

/** One name: equal, or with this in it; or one of several. */
export type NameMatch =
  | { readonly match: "eq" | "contains"; readonly name: string }
  | { readonly match: "in"; readonly names: readonly string[] };

/** Both ends belong to it; at least one is given. */
export interface NumberRange {
  readonly from?: number;
  readonly to?: number;
}

export interface FootprintRange extends NumberRange {
  /** A name of the footprint, as `flops_any_avg`. */
  readonly name: string;
}

/** All that is given must hold. */
export interface JobFilterUrl {
  readonly cluster?: string;
  readonly subCluster?: string;
  readonly partition?: string;
  readonly project?: NameMatch;
  readonly user?: NameMatch;
  /** One of them. */
  readonly state?: readonly JobStateName[];
  readonly shared?: typeof SHARED_NAMES[number];
  readonly schedule?: typeof SCHEDULES[number];
  /** All of them; ids of the database. */
  readonly tag?: readonly number[];
  /** One of them: digits, since ids of batch systems have 64 bits. */
  readonly jobId?: readonly string[];
  /** One of them. */
  readonly dbId?: readonly number[];
  readonly arrayJobId?: string;
  /** With this in it. */
  readonly jobName?: string;
  readonly node?: { readonly match: "eq" | "contains"; readonly name: string };
  /** Unix seconds, or a range that ends now. */
  readonly startTime?: NumberRange | {
    readonly last: typeof START_RANGES[number];
  };
  /** Seconds. */
  readonly duration?: NumberRange;
  readonly numNodes?: NumberRange;
  readonly numHWThreads?: NumberRange;
  readonly numAccelerators?: NumberRange;
  /** kWh. */
  readonly energy?: NumberRange;
  /** All of them. */
  readonly stat?: readonly FootprintRange[];
  /** Jobs whose footprint of the metric is at this level or worse. */
  readonly level?: {
    readonly metric: string;
    readonly level: typeof LEVELS[number];
  };
  /** Jobs shorter than what the configuration calls short: no others, or none. */
  readonly short?: "only" | "hide";
  /** Jobs that have no data of some metric. */
  readonly missing?: boolean;
}

/** A parameter that is not what it should be. */
export interface FilterProblem {
  readonly key: string;
  readonly value: string;
  readonly message: string;
}

export interface ParsedJobFilter {
  readonly filter: JobFilterUrl;
  /** Empty: all is well. */
  readonly problems: readonly FilterProblem[];
}

/** Values of one repeated key. */
const VALUES_MAX = 100;
const TEXT_LENGTH_MAX = 1000;
const DIGITS_MAX = 20;

/** Parameters that belong to the filter; all others are somebody else's. */
export const FILTER_KEYS: ReadonlySet<string> = new Set([
  "cluster",
  "subCluster",
  "partition",
  "project",
  "projectMatch",
  "user",
  "userMatch",
  "state",
  "shared",
  "schedule",
  "tag",
  "jobId",
  "jobIdMatch",
  "dbId",
  "arrayJobId",
  "jobName",
  "node",
  "nodeMatch",
  "startTime",
  "duration",
  "numNodes",
  "numHWThreads",
  "numAccelerators",
  "energy",
  "stat",
  "level",
  "short",
  "missing",
]);

/** Reads the parameters of {@linkcode FILTER_KEYS}; others are left alone. */
export function parseJobFilter(search: URLSearchParams): ParsedJobFilter {
  const reader = new Reader(search);
  const filter: JobFilterUrl = present({
    cluster: reader.text("cluster"),
    subCluster: reader.text("subCluster"),
    partition: reader.text("partition"),
    project: reader.names("project", "eq"),
    user: reader.names("user", "contains"),
    state: reader.list("state", (value) => oneOf(value, JOB_STATE_NAMES)),
    shared: reader.one("shared", (value) => oneOf(value, SHARED_NAMES)),
    schedule: reader.one("schedule", (value) => oneOf(value, SCHEDULES)),
    tag: reader.list("tag", integer),
    jobId: reader.jobIds(),
    dbId: reader.list("dbId", integer),
    arrayJobId: reader.one("arrayJobId", longDigits),
    jobName: reader.text("jobName"),
    node: reader.node(),
    startTime: reader.one("startTime", startRange),
    duration: reader.one("duration", integerRange),
    numNodes: reader.one("numNodes", integerRange),
    numHWThreads: reader.one("numHWThreads", integerRange),
    numAccelerators: reader.one("numAccelerators", integerRange),
    energy: reader.one("energy", numberRange),
    stat: reader.list("stat", footprintRange),
    level: reader.one("level", levelOf),
    short: reader.one("short", (value) => oneOf(value, ["only", "hide"])),
    missing: reader.one("missing", (value) => oneOf(value, ["1"]) === "1"),
  });
  return { filter, problems: reader.problems };
}

/** The parameters that {@linkcode parseJobFilter} reads as this filter. */
export function formatJobFilter(filter: JobFilterUrl): URLSearchParams {
  const search = new URLSearchParams();
  const put = (key: string, value: string | number | undefined) => {
    if (value !== undefined) search.append(key, String(value));
  };
  const putAll = (key: string, values: readonly (string | number)[] = []) => {
    for (const value of values) put(key, value);
  };
  const putNames = (
    key: "project" | "user",
    names: NameMatch | undefined,
  ) => {
    if (names === undefined) return;
    if (names.match === "in") putAll(key, names.names);
    else put(key, names.name);
    put(`${key}Match`, names.match);
  };
  putAll("dbId", filter.dbId);
  putAll("jobId", filter.jobId);
  put("arrayJobId", filter.arrayJobId);
  put("jobName", filter.jobName);
  putNames("project", filter.project);
  putNames("user", filter.user);
  put("cluster", filter.cluster);
  put("subCluster", filter.subCluster);
  put("partition", filter.partition);
  putAll("state", filter.state);
  put("shared", filter.shared);
  put("schedule", filter.schedule);
  const { startTime } = filter;
  if (startTime !== undefined) {
    put(
      "startTime",
      "last" in startTime ? startTime.last : formatRange(startTime),
    );
  }
  for (
    const key of [
      "duration",
      "numNodes",
      "numHWThreads",
      "numAccelerators",
      "energy",
    ] as const
  ) {
    const range = filter[key];
    if (range !== undefined) put(key, formatRange(range));
  }
  putAll("tag", filter.tag);
  put("node", filter.node?.name);
  if (filter.node?.match === "contains") put("nodeMatch", "contains");
  for (const { name, ...range } of filter.stat ?? []) {
    put("stat", `${name}-${formatRange(range)}`);
  }
  if (filter.level !== undefined) {
    put("level", `${filter.level.metric}:${filter.level.level}`);
  }
  put("short", filter.short);
  if (filter.missing === true) put("missing", 1);
  return search;
}

/** Takes values by key and collects what is wrong with them. */
class Reader {
  readonly problems: FilterProblem[] = [];
  readonly #search: URLSearchParams;

  constructor(search: URLSearchParams) {
    this.#search = search;
  }

  /** All values of a key that say something, each once. */
  #values(key: string): string[] {
    const values = [...new Set(this.#search.getAll(key))]
      .filter((value) => value !== "");
    if (values.length <= VALUES_MAX) return values;
    this.#note(key, values[VALUES_MAX] ?? "", `at most ${VALUES_MAX} values`);
    return [];
  }

  /** A key that has one value. */
  #value(key: string): string | undefined {
    const values = this.#values(key);
    if (values.length > 1) this.#note(key, values[1] ?? "", "given twice");
    return values[0];
  }

  #note(key: string, value: string, message: string): void {
    this.problems.push({ key, value: value.slice(0, 60), message });
  }

  #read<Value>(
    key: string,
    value: string,
    parse: (value: string) => Value,
  ): Value | undefined {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      this.#note(key, value, error.message);
      return undefined;
    }
  }

  one<Value>(key: string, parse: (value: string) => Value): Value | undefined {
    const value = this.#value(key);
    return value === undefined ? undefined : this.#read(key, value, parse);
  }

  /** Absent where there is none. */
  list<Value>(
    key: string,
    parse: (value: string) => Value,
  ): Value[] | undefined {
    const parsed = this.#values(key)
      .map((value) => this.#read(key, value, parse))
      .filter((value) => value !== undefined);
    return parsed.length === 0 ? undefined : parsed;
  }

  text(key: string): string | undefined {
    return this.one(key, shortText);
  }

  /** One name is compared as `single` says, unless the link says how. */
  names(
    key: "project" | "user",
    single: "eq" | "contains",
  ): NameMatch | undefined {
    const match = this.one(
      `${key}Match`,
      (value) => oneOf(value, ["eq", "contains", "in"]),
    );
    const names = this.list(key, shortText);
    const [name] = names ?? [];
    if (names === undefined || name === undefined) return undefined;
    if (match === "in" || (match === undefined && names.length > 1)) {
      return { match: "in", names };
    }
    if (names.length > 1) {
      this.#note(key, names[1] ?? "", `several need ${key}Match=in`);
    }
    return { match: match ?? single, name };
  }

  jobIds(): string[] | undefined {
    const ids = this.list("jobId", longDigits);
    const match = this.one("jobIdMatch", (value) => oneOf(value, ["eq", "in"]));
    if (match === "eq" && ids !== undefined && ids.length > 1) {
      this.#note("jobId", ids[1] ?? "", "several need jobIdMatch=in");
    }
    return ids === undefined ? undefined : [...new Set(ids)];
  }

  node(): JobFilterUrl["node"] {
    const match = this.one(
      "nodeMatch",
      (value) => oneOf(value, ["eq", "contains"]),
    );
    const name = this.text("node");
    return name === undefined ? undefined : { match: match ?? "eq", name };
  }
}

/** A value that a parser does not know. */
class Unexpected extends Error {}

function oneOf<const Name extends string>(
  value: string,
  names: readonly Name[],
): Name {
  const name = names.find((name) => name === value);
  if (name === undefined) {
    throw new Unexpected(`one of ${names.join(", ")} is expected`);
  }
  return name;
}

function shortText(value: string): string {
  if (value.length > TEXT_LENGTH_MAX) {
    throw new Unexpected(`at most ${TEXT_LENGTH_MAX} characters`);
  }
  return value;
}

function integer(value: string): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new Unexpected("a whole number is expected");
}

/** Digits of an integer of 64 bits, without leading zeros. */
function longDigits(value: string): string {
  if (/^-?\d+$/.test(value) && value.length <= DIGITS_MAX) {
    const number = BigInt(value);
    if (BigInt.asIntN(64, number) === number) return String(number);
  }
  throw new Unexpected("an integer of 64 bits is expected");
}

const DECIMAL = String.raw`\d{1,400}(?:\.\d{1,400})?`;
const RANGE = new RegExp(
  `^(?:(${DECIMAL})-(${DECIMAL})|lessthan-(${DECIMAL})|morethan-(${DECIMAL}))$`,
);
const NAMED_RANGE = new RegExp(
  `^(.+?)-(${DECIMAL}-${DECIMAL}|lessthan-${DECIMAL}|morethan-${DECIMAL})$`,
  "s",
);

function numberRange(value: string): NumberRange {
  const match = RANGE.exec(value);
  if (match === null) {
    throw new Unexpected("from-to, lessthan-to or morethan-from is expected");
  }
  const [, from, to, below, above] = match;
  const range = present({
    from: optionalNumber(from ?? above),
    to: optionalNumber(to ?? below),
  });
  for (const end of Object.values(range)) {
    if (!Number.isFinite(end)) throw new Unexpected("the number is too large");
  }
  if (
    range.from !== undefined && range.to !== undefined && range.from > range.to
  ) throw new Unexpected("the range ends before it begins");
  return range;
}

function integerRange(value: string): NumberRange {
  const range = numberRange(value);
  for (const end of Object.values(range)) {
    if (!Number.isSafeInteger(end)) {
      throw new Unexpected("whole numbers are expected");
    }
  }
  return range;
}

function startRange(value: string): NonNullable<JobFilterUrl["startTime"]> {
  const last = START_RANGES.find((name) => name === value);
  if (last !== undefined) return { last };
  try {
    return integerRange(value);
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error;
    throw new Unexpected(`${error.message}, or one of ${START_RANGES.join()}`);
  }
}

function footprintRange(value: string): FootprintRange {
  const match = NAMED_RANGE.exec(value);
  if (match === null) {
    throw new Unexpected(
      "name-from-to, name-lessthan-to or name-morethan-from is expected",
    );
  }
  return { name: shortText(match[1] ?? ""), ...numberRange(match[2] ?? "") };
}

function levelOf(value: string): NonNullable<JobFilterUrl["level"]> {
  const colon = value.lastIndexOf(":");
  const metric = value.slice(0, Math.max(0, colon));
  if (metric === "") {
    throw new Unexpected("metric:caution or metric:alert is expected");
  }
  return {
    metric: shortText(metric),
    level: oneOf(value.slice(colon + 1), LEVELS),
  };
}

function formatRange({ from, to }: NumberRange): string {
  if (from === undefined) return `lessthan-${decimal(to ?? 0)}`;
  return to === undefined
    ? `morethan-${decimal(from)}`
    : `${decimal(from)}-${decimal(to)}`;
}

/** All digits of a number that is not negative, without an exponent. */
function decimal(value: number): string {
  const text = String(value);
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const digits = (match[1] ?? "") + (match[2] ?? "");
  const point = 1 + Number(match[3]);
  if (point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  return digits.padEnd(point, "0");
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

type Present<Entries> = {
  [Key in keyof Entries]?: Exclude<Entries[Key], undefined>;
};

/** Without what is `undefined`. */
function present<Entries extends Record<string, unknown>>(
  entries: Entries,
): Present<Entries> {
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== undefined),
  ) as Present<Entries>;
}
