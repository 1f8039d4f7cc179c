/**
 * How good a value of a metric is, by the thresholds of its cluster (web 3.8): the
 * only place that knows the rule and its words. No DOM, no Deno.
 */
import type { LevelName } from "./answers.ts";

/** The part of a metric that the rule needs. All 0: it has no thresholds. */
export interface Thresholds {
  readonly peak: number;
  readonly normal: number;
  readonly caution: number;
  readonly alert: number;
  readonly lowerIsBetter?: boolean;
}

/** A level in words and as a symbol, so that colour is never alone. */
export interface LevelText {
  readonly word: string;
  readonly symbol: string;
  /** Its meaning for the job. */
  readonly advice: string;
}

export const LEVELS: Readonly<Record<LevelName, LevelText>> = {
  "over-peak": {
    word: "over peak",
    symbol: "⚠",
    advice: "more than the machine can: check the metric",
  },
  alert: { word: "alert", symbol: "✕", advice: "far from what is normal" },
  caution: { word: "caution", symbol: "△", advice: "less good than normal" },
  normal: { word: "normal", symbol: "✓", advice: "as it should be" },
  "above-normal": {
    word: "above normal, check",
    symbol: "✓",
    advice: "better than is usual: good, if it is true",
  },
  none: { word: "no level", symbol: "–", advice: "no thresholds" },
};

/** The level of a value; thresholds and value are in the same unit. */
export function levelOf(value: number, limits: Thresholds): LevelName {
  const { peak, normal, caution, alert } = limits;
  const hasLimits = peak !== 0 || normal !== 0 || caution !== 0 || alert !== 0;
  if (!hasLimits || !Number.isFinite(value) || value < 0) return "none";
  if (peak > 0 && value > peak) return "over-peak";
  if (limits.lowerIsBetter) {
    if (value >= alert) return "alert";
    return value >= caution ? "caution" : "normal";
  }
  if (value <= alert) return "alert";
  if (value <= caution) return "caution";
  return value <= normal ? "normal" : "above-normal";
}

/**
 * Thresholds for a part of a node. They are written for a whole one: what is summed up
 * to a node is divided by the number of parts, averages stay.
 *
 * @param share of the node, like 1/72 for a thread of 72, or a job's threads by the node's
 */
export function scaleThresholds(
  limits: Thresholds,
  aggregation: string,
  share: number,
): Thresholds {
  if (aggregation !== "sum" || share === 1) return limits;
  return {
    ...limits,
    peak: limits.peak * share,
    normal: limits.normal * share,
    caution: limits.caution * share,
    alert: limits.alert * share,
  };
}

/** Worse levels are larger; for "the worst footprint of a job". */
export function badness(level: LevelName): number {
  return ["none", "normal", "above-normal", "caution", "over-peak", "alert"]
    .indexOf(level);
}
