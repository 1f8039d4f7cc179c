/**
 * The matchers of a selector over series as they are shown, settled in stages: matchers
 * of labels that no series has at once, metric and cluster once for each name, the host
 * once a host, the rest once a level. Owner thread only.
 */
import type { Level } from "../catalog/level_tree.ts";
import {
  type SeriesMatcher,
  SHOWN_LABELS,
} from "../transport/selection_messages.ts";

/** Whether a whole value matches a regular expression. */
export type ValueTest = (value: string) => boolean;

type Shown = typeof SHOWN_LABELS[number];

interface LabelTest {
  readonly label: string;
  holds(value: string): boolean;
}

export class SeriesMatchers {
  /** A matcher on a label that no series has does not hold: nothing is selected. */
  readonly isImpossible: boolean;
  /** The only host that can match; `undefined`: several can. */
  readonly host: string | undefined;
  /** The only cluster that can match. */
  readonly cluster: string | undefined;
  readonly #metric: readonly LabelTest[];
  readonly #cluster: readonly LabelTest[];
  readonly #host: readonly LabelTest[];
  readonly #level: readonly LabelTest[];

  /**
   * `compile` makes the test of a regular expression; its errors go on to the caller.
   */
  constructor(
    matchers: readonly SeriesMatcher[],
    compile: (pattern: string) => ValueTest,
  ) {
    const tests = matchers.map((one) => testOf(one, compile));
    const of = (...names: Shown[]) =>
      tests.filter(({ label }) => names.includes(label as Shown));
    this.#metric = of("__name__");
    this.#cluster = of("cluster");
    this.#host = of("hostname");
    this.#level = of("type", "type_id", "stype", "stype_id");
    this.isImpossible = tests.some(({ label, holds }) =>
      !SHOWN_LABELS.includes(label as Shown) && !holds("")
    );
    this.host = onlyValue(matchers, "hostname");
    this.cluster = onlyValue(matchers, "cluster");
  }

  matchesMetric(name: string): boolean {
    return this.#metric.every(({ holds }) => holds(name));
  }

  matchesCluster(name: string): boolean {
    return this.#cluster.every(({ holds }) => holds(name));
  }

  matchesHost(name: string): boolean {
    return this.#host.every(({ holds }) => holds(name));
  }

  matchesLevel(level: Level): boolean {
    return this.#level.every(({ label, holds }) =>
      holds(levelLabel(level, label))
    );
  }
}

/** The value that an equality asks of the label, unless it is "". */
function onlyValue(
  matchers: readonly SeriesMatcher[],
  label: Shown,
): string | undefined {
  return matchers.find(({ name, type, value }) =>
    name === label && type === "=" && value !== ""
  )?.value;
}

function testOf(
  { name: label, type, value }: SeriesMatcher,
  compile: (pattern: string) => ValueTest,
): LabelTest {
  switch (type) {
    case "=":
      return { label, holds: (given) => given === value };
    case "!=":
      return { label, holds: (given) => given !== value };
    case "=~":
      return { label, holds: compile(value) };
    case "!~": {
      const matches = compile(value);
      return { label, holds: (given) => !matches(given) };
    }
  }
}

/**
 * A label below the host, by its name in lines or in PromQL; "" where the level
 * lacks it.
 */
export function levelLabel(level: Level, label: string): string {
  const { parent } = level;
  // Only a level below a type level has a grandparent.
  const isSub = parent?.parent !== undefined;
  switch (label) {
    case "type":
      return isSub ? parent.labelType : level.labelType;
    case "type-id":
    case "type_id":
      return isSub ? parent.labelId : level.labelId;
    case "stype":
      return isSub ? level.labelType : "";
    case "stype-id":
    case "stype_id":
      return isSub ? level.labelId : "";
    default:
      throw new Error(`BUG: ${label} is not settled by the level`);
  }
}
