/** Which rows of two vectors belong together: those with equal matching labels. Any thread. */
import { METRIC_NAME, type VectorMatching } from "../language/ast.ts";
import { type Budget, LABEL_CELLS } from "./budget.ts";
import {
  dropLabels,
  keepLabels,
  type Labels,
  partKey,
  setLabel,
} from "./labels.ts";
import type { StepMatrix } from "./step_matrix.ts";

/** The rows of both sides with the same matching labels. */
export interface MatchGroup {
  readonly left: number[];
  readonly right: number[];
}

/** In the order in which the labels appear, left side first. */
export async function groupRows(
  matching: VectorMatching,
  left: StepMatrix,
  right: StepMatrix,
  budget: Budget,
): Promise<MatchGroup[]> {
  const names = matching.isOn
    ? matching.labels
    : [METRIC_NAME, ...matching.labels];
  const keyOf = partKey(names, matching.isOn);
  const groups = new Map<string, MatchGroup>();
  const groupOf = (labels: Labels) => {
    const key = keyOf(labels);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, group = { left: [], right: [] });
    return group;
  };
  for (const [row, labels] of left.labels.entries()) {
    if (budget.isDue(LABEL_CELLS)) await budget.pause();
    groupOf(labels).left.push(row);
  }
  for (const [row, labels] of right.labels.entries()) {
    if (budget.isDue(LABEL_CELLS)) await budget.pause();
    groupOf(labels).right.push(row);
  }
  return [...groups.values()];
}

/** The labels that were matched, as messages and filled-in series have them. */
export function matchedLabels(
  matching: VectorMatching,
  labels: Labels,
): Labels {
  return matching.isOn
    ? keepLabels(labels, new Set(matching.labels))
    : dropLabels(labels, new Set([METRIC_NAME, ...matching.labels]));
}

const METADATA = new Set([METRIC_NAME, "__type__", "__unit__"]);

/**
 * Makes the labels of a result of the "many" side (or the left one) and the other;
 * arithmetic takes the name off at once.
 */
export function resultLabels(
  matching: VectorMatching,
  isArithmetic: boolean,
): (many: Labels, one: Labels) => Labels {
  const matched = new Set(matching.labels);
  return (many, one) => {
    let labels = isArithmetic ? dropLabels(many, METADATA) : many;
    if (matching.card === "one-to-one") {
      labels = matching.isOn
        ? keepLabels(labels, matched)
        : dropLabels(labels, matched);
    }
    for (const name of matching.include) {
      labels = setLabel(labels, name, one.get(name));
    }
    return labels;
  };
}
