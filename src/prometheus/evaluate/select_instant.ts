/**
 * Instant selection: at each step the newest sample that is not older than the
 * lookback, unless it is a stale marker. Any thread.
 */
import type { VectorSelector } from "../language/ast.ts";
import type { EvaluationContext, Grid } from "./context.ts";
import { bitsOf, isStaleAt } from "./nan_kinds.ts";
import type { SeriesBatch } from "./series_source.ts";
import { type BlockSink, StepMatrix } from "./step_matrix.ts";

/**
 * The value of a selector, or the times of its samples in seconds. With a `sink` each
 * batch goes there as a block of its own, and the result is empty.
 */
export async function selectInstant(
  selector: VectorSelector,
  grid: Grid,
  context: EvaluationContext,
  around: string,
  wantsTimes = false,
  sink?: BlockSink,
): Promise<StepMatrix> {
  const { budget, source, lookbackMs } = context;
  const reference = referenceOf(selector, grid, context);
  const selection = {
    matchers: selector.matchers,
    afterMs: reference.firstMs - lookbackMs,
    untilMs: reference.lastMs,
    hints: { around, rangeMs: 0, stepMs: reference.stepMs },
  };
  let matrix = new StepMatrix(grid.count, 0, budget);
  let series = 0;
  for await (const batch of source.select(selection, context.signal)) {
    budget.check();
    series += batch.labels.length;
    budget.checkSeries(series);
    matrix.reserve(batch.labels.length);
    await addBatch(batch, reference, grid, context, matrix, wantsTimes);
    if (sink === undefined) continue;
    await sink(matrix);
    matrix = new StepMatrix(grid.count, 0, budget);
  }
  return matrix;
}

/** When the steps of a grid look at the samples. */
export interface Reference {
  readonly firstMs: number;
  readonly lastMs: number;
  /** 0: all steps look at the same time. */
  readonly stepMs: number;
}

/** `@` fixes the time, then the offset is applied. */
export function referenceOf(
  selector: Pick<VectorSelector, "at" | "offset">,
  grid: Grid,
  { plan }: EvaluationContext,
): Reference {
  const offsetMs = plan.ms(selector.offset, true);
  const atMs = plan.atMs(selector.at);
  if (atMs !== undefined) {
    return { firstMs: atMs - offsetMs, lastMs: atMs - offsetMs, stepMs: 0 };
  }
  const lastMs = grid.startMs + (grid.count - 1) * grid.stepMs;
  return {
    firstMs: grid.startMs - offsetMs,
    lastMs: lastMs - offsetMs,
    stepMs: grid.stepMs,
  };
}

async function addBatch(
  batch: SeriesBatch,
  reference: Reference,
  grid: Grid,
  { budget, lookbackMs }: EvaluationContext,
  matrix: StepMatrix,
  wantsTimes: boolean,
): Promise<void> {
  const { labels, offsets, timesMs, values } = batch;
  const bits = bitsOf(values);
  const held = timesMs.length;
  budget.hold(held);
  budget.countRead(offsets[labels.length]! - offsets[0]!);
  for (let i = 0; i < labels.length; i++) {
    const from = offsets[i]!;
    const to = offsets[i + 1]!;
    if (budget.isDue(grid.count + to - from)) await budget.pause();
    const start = matrix.append(labels[i]!, false);
    const lookback = Math.min(
      batch.lookbacksMs?.[i] ?? lookbackMs,
      lookbackMs,
    );
    const found = fillRow(
      wantsTimes ? timesMs : values,
      timesMs,
      values,
      bits,
      from,
      to,
      reference,
      lookback,
      grid.count,
      matrix,
      start,
    );
    if (wantsTimes) toSeconds(matrix.values, start, grid.count);
    if (!found) matrix.removeLast();
  }
  budget.release(held);
}

/** Fast path: one pass over the samples of a series for all steps. */
function fillRow(
  shown: Float64Array,
  timesMs: Float64Array,
  values: Float64Array,
  bits: Uint32Array,
  from: number,
  to: number,
  reference: Reference,
  lookbackMs: number,
  count: number,
  matrix: StepMatrix,
  start: number,
): boolean {
  const { firstMs, stepMs } = reference;
  const { values: cells, present } = matrix;
  let found = false;
  let next = from;
  for (let step = 0; step < count; step++) {
    const atMs = firstMs + step * stepMs;
    while (next < to && timesMs[next]! <= atMs) next++;
    const newest = next - 1;
    if (newest < from || timesMs[newest]! <= atMs - lookbackMs) continue;
    const value = values[newest]!;
    if (value !== value && isStaleAt(bits, newest)) continue;
    cells[start + step] = shown[newest]!;
    present[start + step] = 1;
    found = true;
  }
  return found;
}

function toSeconds(cells: Float64Array, start: number, count: number): void {
  for (let i = start; i < start + count; i++) cells[i] = cells[i]! / 1000;
}
