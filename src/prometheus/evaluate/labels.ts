/**
 * Label sets: names sorted by UTF-8 bytes, each once, no empty values. They are
 * never changed; what changes one makes another. Any thread.
 */
import { METRIC_NAME } from "../language/ast.ts";
import { quote } from "../language/quote.ts";

/** Joins texts to keys: a lone surrogate is in no text that came as UTF-8. */
const SEPARATOR = "\ud800";
/** What a series loses with its name. */
const METADATA = [METRIC_NAME, "__type__", "__unit__"];

export class Labels {
  /** Sorted. */
  readonly names: readonly string[];
  /** As many as there are names; none is "". */
  readonly values: readonly string[];
  #key: string | undefined;

  /** The names have to be sorted and the values not empty; {@linkcode labelsOf} sees to it. */
  constructor(names: readonly string[], values: readonly string[]) {
    this.names = names;
    this.values = values;
  }

  /** The value of a label; "" where it is absent. */
  get(name: string): string {
    const at = this.names.indexOf(name);
    return at < 0 ? "" : this.values[at]!;
  }

  /** The same for equal sets, another one for others. */
  get key(): string {
    return this.#key ??= joinPairs(this.names, this.values);
  }
}

export const NO_LABELS = new Labels([], []);

function joinPairs(
  names: readonly string[],
  values: readonly string[],
): string {
  let key = "";
  for (let i = 0; i < names.length; i++) {
    key += names[i] + SEPARATOR + values[i] + SEPARATOR;
  }
  return key;
}

/** Sorts the pairs and leaves out empty values; of a name that comes twice the last one counts. */
export function labelsOf(
  pairs: Iterable<readonly [name: string, value: string]>,
): Labels {
  const byName = new Map(pairs);
  const sorted = [...byName].filter(([, value]) => value !== "")
    .sort(([a], [b]) => compareUtf8(a, b));
  return new Labels(
    sorted.map(([name]) => name),
    sorted.map(([, value]) => value),
  );
}

/** The order of the UTF-8 bytes, which is that of the code points. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    // Surrogates stand for code points above all other units.
    const isLeftHigh = left >= 0xd800 && left < 0xe000;
    const isRightHigh = right >= 0xd800 && right < 0xe000;
    if (isLeftHigh !== isRightHigh) return isLeftHigh ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

/** By the first label that differs, name before value; a set that begins another comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.names.length, b.names.length);
  for (let i = 0; i < length; i++) {
    const order = compareUtf8(a.names[i]!, b.names[i]!) ||
      compareUtf8(a.values[i]!, b.values[i]!);
    if (order !== 0) return order;
  }
  return a.names.length - b.names.length;
}

/** Only the labels of these names. */
export function keepLabels(
  labels: Labels,
  names: ReadonlySet<string>,
): Labels {
  return filterLabels(labels, (name) => names.has(name));
}

/** Without the labels of these names. */
export function dropLabels(
  labels: Labels,
  names: ReadonlySet<string>,
): Labels {
  return filterLabels(labels, (name) => !names.has(name));
}

function filterLabels(
  labels: Labels,
  isKept: (name: string) => boolean,
): Labels {
  const names: string[] = [];
  const values: string[] = [];
  labels.names.forEach((name, i) => {
    if (!isKept(name)) return;
    names.push(name);
    values.push(labels.values[i]!);
  });
  return names.length === labels.names.length
    ? labels
    : new Labels(names, values);
}

const METADATA_SET: ReadonlySet<string> = new Set(METADATA);

/** Without `__name__`, `__type__` and `__unit__`. */
export function dropMetadata(labels: Labels): Labels {
  return dropLabels(labels, METADATA_SET);
}

/** With the label set, or removed where the value is "". */
export function setLabel(labels: Labels, name: string, value: string): Labels {
  const at = labels.names.indexOf(name);
  if (at < 0 && value === "") return labels;
  if (at >= 0 && value !== "") {
    return labels.values[at] === value
      ? labels
      : new Labels(labels.names, labels.values.with(at, value));
  }
  if (at >= 0) {
    return new Labels(
      labels.names.toSpliced(at, 1),
      labels.values.toSpliced(at, 1),
    );
  }
  let to = 0;
  while (
    to < labels.names.length && compareUtf8(labels.names[to]!, name) < 0
  ) to++;
  return new Labels(
    labels.names.toSpliced(to, 0, name),
    labels.values.toSpliced(to, 0, value),
  );
}

/**
 * Makes the key of a part of the labels: of those named (`isOn`) or of all others.
 * Sets of which that part is equal have equal keys.
 */
export function partKey(
  names: readonly string[],
  isOn: boolean,
): (labels: Labels) => string {
  if (isOn) {
    const sorted = [...new Set(names)];
    return (labels) => {
      let key = "";
      for (const name of sorted) key += labels.get(name) + SEPARATOR;
      return key;
    };
  }
  const others = new Set(names);
  return (labels) => {
    let key = "";
    for (let i = 0; i < labels.names.length; i++) {
      const name = labels.names[i]!;
      if (!others.has(name)) {
        key += name + SEPARATOR + labels.values[i] + SEPARATOR;
      }
    }
    return key;
  };
}

/** `{__name__="a", b="c"}`, as messages show a series. */
export function printLabels(labels: Labels): string {
  const pairs = labels.names.map((name, i) => {
    const shown = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name);
    return `${shown}=${quote(labels.values[i]!)}`;
  });
  return `{${pairs.join(", ")}}`;
}
