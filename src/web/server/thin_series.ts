/**
 * Series with as many points as a plot has pixels (web 4.3). No extreme is lost: of
 * each two neighbouring points one is the least and one the largest sample of their
 * span, in the order of time. Pure.
 */
import type { Series } from "../../jobs/data/job_data.ts";

/** A part of the steps of a metric, and how many steps make a point. */
export interface PointGrid {
  /** Unix seconds of step 0. */
  readonly baseSec: number;
  /** Seconds between two samples. */
  readonly timestep: number;
  /** The first step, and the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Steps a point. */
  readonly factor: number;
  readonly points: number;
}

/**
 * The steps between two times, both included, thinned to at most `points`.
 *
 * @param steps so many there are
 */
export function gridOf(
  { baseSec, timestep, steps }: {
    readonly baseSec: number;
    readonly timestep: number;
    readonly steps: number;
  },
  { fromSec, toSec, points }: {
    readonly fromSec?: number | undefined;
    readonly toSec?: number | undefined;
    readonly points: number;
  },
): PointGrid {
  const first = fromSec === undefined
    ? 0
    : clamp(Math.ceil((fromSec - baseSec) / timestep), 0, steps);
  const end = toSec === undefined
    ? steps
    : clamp(Math.floor((toSec - baseSec) / timestep) + 1, first, steps);
  const factor = Math.max(1, Math.ceil((end - first) / points));
  return {
    baseSec,
    timestep,
    first,
    end,
    factor,
    points: Math.ceil((end - first) / factor),
  };
}

/** One series on the grid. */
export function thinned(
  { leadingNulls = 0, data }: Pick<Series, "leadingNulls" | "data">,
  { first, end, factor, points }: PointGrid,
): Float32Array {
  const values = new Float32Array(points).fill(NaN);
  if (factor === 1) {
    for (let point = 0; point < points; point++) {
      const value = data[first + point - leadingNulls];
      if (value !== undefined) values[point] = value;
    }
    return values;
  }
  for (let point = 0; point < points;) {
    // A point that were left alone at the end has its place in the last span.
    const width = points - point === 3 ? 3 : Math.min(2, points - point);
    const from = Math.max(first + point * factor, leadingNulls);
    const to = Math.min(
      end,
      first + (point + width) * factor,
      leadingNulls + data.length,
    );
    placeExtremes(values.subarray(point, point + width), {
      data: data.subarray(
        from - leadingNulls,
        Math.max(from, to) - leadingNulls,
      ),
      // Samples of the span that come before the first one here.
      missing: from - (first + point * factor),
      factor,
    });
    point += width;
  }
  return values;
}

/**
 * Gives the points of a span its samples: each the last one of its own part, then the
 * least and the largest of all at the two ends, in the order of time.
 */
function placeExtremes(
  points: Float32Array,
  { data, missing, factor }: {
    readonly data: Float64Array;
    readonly missing: number;
    readonly factor: number;
  },
): void {
  let least = -1;
  let largest = -1;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isNaN(value)) continue;
    points[Math.floor((missing + i) / factor)] = value;
    if (least === -1 || value < data[least]!) least = i;
    if (largest === -1 || value > data[largest]!) largest = i;
  }
  if (least === -1 || data[least] === data[largest]) return;
  points[0] = data[Math.min(least, largest)]!;
  points[points.length - 1] = data[Math.max(least, largest)]!;
}

/** Least, mean and largest of all samples of all series at each point. */
export class Band {
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly #sums: Float64Array;
  readonly #counts: Uint32Array;
  readonly #grid: PointGrid;

  constructor(grid: PointGrid) {
    this.#grid = grid;
    this.min = new Float32Array(grid.points).fill(NaN);
    this.max = new Float32Array(grid.points).fill(NaN);
    this.#sums = new Float64Array(grid.points);
    this.#counts = new Uint32Array(grid.points);
  }

  add({ leadingNulls = 0, data }: Pick<Series, "leadingNulls" | "data">): void {
    const { first, factor } = this.#grid;
    const { min, max } = this;
    const end = Math.min(this.#grid.end, leadingNulls + data.length);
    for (let step = Math.max(first, leadingNulls); step < end; step++) {
      const value = data[step - leadingNulls]!;
      if (Number.isNaN(value)) continue;
      const point = Math.floor((step - first) / factor);
      if (!(min[point]! <= value)) min[point] = value;
      if (!(max[point]! >= value)) max[point] = value;
      this.#sums[point]! += value;
      this.#counts[point]!++;
    }
  }

  get mean(): Float32Array {
    return Float32Array.from(
      this.#sums,
      (sum, point) => sum / this.#counts[point]!,
    );
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
