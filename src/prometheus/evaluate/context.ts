/** What goes along with an evaluation: the source, the bounds, the remarks. Any thread. */
import type { Annotations } from "./annotations.ts";
import type { Budget } from "./budget.ts";
import type { Plan } from "./plan.ts";
import type { SeriesSource } from "./series_source.ts";
import type { StepMatrix } from "./step_matrix.ts";

/** The steps of an evaluation; step k is at `startMs + k * stepMs`. */
export interface Grid {
  readonly startMs: number;
  /** 1 at least. */
  readonly stepMs: number;
  readonly count: number;
  /** Start and end are the same: order counts, and nothing is merged over steps. */
  readonly isInstant: boolean;
}

export function makeGrid(
  startMs: number,
  endMs: number,
  stepMs: number,
): Grid {
  const step = Math.max(1, stepMs);
  return {
    startMs,
    stepMs: step,
    count: endMs < startMs ? 0 : Math.floor((endMs - startMs) / step) + 1,
    isInstant: startMs === endMs,
  };
}

export interface EvaluationContext {
  readonly source: SeriesSource;
  readonly plan: Plan;
  readonly budget: Budget;
  readonly annotations: Annotations;
  /** How long a sample counts at most. */
  readonly lookbackMs: number;
  /** Of a subquery that names no step. */
  readonly subqueryStepMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A scalar has a value at every step. */
export interface ScalarValue {
  readonly type: "scalar";
  readonly values: Float64Array;
}

export interface VectorValue {
  readonly type: "vector";
  readonly matrix: StepMatrix;
}

export interface StringValue {
  readonly type: "string";
  readonly value: string;
}

export type Value = ScalarValue | VectorValue | StringValue;
