/**
 * The data of a plot: the series of one metric out of a frame, and what follows from
 * them. Values stay in the views that the frame made of the answer. No DOM.
 */
import type { Frame, FrameArray, FrameUnit } from "../../shared/frame.ts";

export interface PlotSeries {
  readonly host: string;
  /** Id of a core, an accelerator…; `""`: the node. */
  readonly id: string;
  readonly part?: "min" | "mean" | "max" | "age";
  readonly values: FrameArray;
  /** Unix seconds of the first value. */
  readonly from: number;
  /** Seconds between two values. */
  readonly step: number;
  readonly stats?: {
    readonly min: number;
    readonly avg: number;
    readonly max: number;
  };
}

export interface PlotData {
  readonly metric: string;
  readonly unit: FrameUnit;
  readonly scope: string;
  readonly series: readonly PlotSeries[];
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly nowSec: number;
  readonly nextSec?: number;
  /** Hosts without data, and why. */
  readonly errors: readonly { readonly host: string; readonly error: string }[];
}

/** The series of one metric. */
export function plotDataOf(frame: Frame, metric: string): PlotData {
  const { header } = frame;
  const series: PlotSeries[] = [];
  let unit: FrameUnit = { base: "" };
  let scope = "node";
  header.arrays.forEach((head, at) => {
    if (head.metric !== metric) return;
    unit = head.unit;
    scope = head.scope ?? scope;
    series.push({
      host: head.host ?? "",
      id: head.id ?? "",
      ...(head.part ? { part: head.part } : {}),
      ...(head.stats ? { stats: head.stats } : {}),
      values: frame.arrays[at]!,
      from: head.from ?? header.from,
      step: head.step ?? header.step,
    });
  });
  const step = series[0]?.step ?? header.step;
  const from = Math.min(header.from, ...series.map((one) => one.from));
  const ends = series.map((one) =>
    one.from + (one.values.length - 1) * one.step
  );
  return {
    metric,
    unit,
    scope,
    series,
    from,
    to: Math.max(header.from + (header.points - 1) * header.step, ...ends),
    step,
    nowSec: header.nowSec,
    ...(header.nextSec === undefined ? {} : { nextSec: header.nextSec }),
    errors: header.errors
      .filter((error) => error.metric === metric)
      .map(({ host = "", error }) => ({ host, error })),
  };
}

/** The value of a series at the step that holds a moment; NaN: none. */
export function valueAt(series: PlotSeries, sec: number): number {
  const at = Math.round((sec - series.from) / series.step);
  return series.values[at] ?? NaN;
}

/** The largest value that is shown, 0 at least; NaN: there is none. */
export function largest(series: readonly PlotSeries[]): number {
  let most = NaN;
  for (const { values } of series) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value <= most) && value === value) most = value;
    }
  }
  return most;
}

export function smallest(series: readonly PlotSeries[]): number {
  let least = NaN;
  for (const { values } of series) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value >= least) && value === value) least = value;
    }
  }
  return least;
}

/** Like `f0512` or `f0512 core 17`. */
export function seriesName(series: PlotSeries, scope: string): string {
  return series.id === ""
    ? series.host
    : `${series.host} ${scope} ${series.id}`;
}

/** Min, mean and max of a band, if the data is one. */
export function bandOf(
  data: PlotData,
): { min: PlotSeries; mean: PlotSeries; max: PlotSeries } | undefined {
  const find = (part: string) => data.series.find((one) => one.part === part);
  const [min, mean, max] = [find("min"), find("mean"), find("max")];
  return min && mean && max ? { min, mean, max } : undefined;
}

/** The moments of the data, one a step. */
export function momentsOf(data: PlotData): number[] {
  const count = Math.max(1, Math.floor((data.to - data.from) / data.step) + 1);
  return Array.from({ length: count }, (_, i) => data.from + i * data.step);
}
