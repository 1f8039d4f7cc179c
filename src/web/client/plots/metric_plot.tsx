/**
 * A metric over time as band, lines or heat map, with thresholds, pinned nodes and a
 * table. It knows nothing of where its data comes from.
 */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { MetricAnswer } from "../../shared/answers.ts";
import {
  formatNumber,
  niceCeiling,
  scaleFor,
  withUnit,
} from "../../shared/quantities.ts";
import { setting } from "../state/session.ts";
import { CanvasPlot, type TipLine } from "./canvas_plot.tsx";
import { plotColours, type SchemeName, themeChanges } from "./colours.ts";
import { drawBand, drawLine, drawMap, drawThresholds, mapRow } from "./draw.ts";
import {
  bandOf,
  largest,
  momentsOf,
  type PlotData,
  type PlotSeries,
  seriesName,
  smallest,
  valueAt,
} from "./plot_data.ts";

export type PlotMode = "band" | "lines" | "map";

/** Beyond so many lines colours say nothing (web 8). */
const COLOURED_MAX = 10;

export interface MetricPlotProps {
  readonly data: PlotData;
  /** Series of pinned nodes, drawn over everything else. */
  readonly pinned: readonly PlotSeries[];
  readonly metric: MetricAnswer;
  readonly mode: PlotMode;
  readonly from: number;
  readonly to: number;
  readonly onZoom: (from: number, to: number) => void;
  readonly onZoomOut: () => void;
  readonly onPin: (host: string) => void;
  /** Whether thresholds hold for what is shown. */
  readonly hasThresholds: boolean;
}

export function MetricPlot(props: MetricPlotProps): JSX.Element {
  const { data, metric, mode, pinned } = props;
  const colours = plotColours();
  const theme = themeChanges.value;
  const scheme = setting("web.scheme") === "viridis" ? "viridis" : "cividis";
  const band = bandOf(data);
  const range = useMemo(
    () => rangeOf(data, pinned, metric, props.hasThresholds),
    [
      data,
      pinned,
      metric,
    ],
  );
  const moments = useMemo(() => momentsOf(data), [data]);
  const isMap = mode === "map" && band === undefined;
  const scale = scaleFor(range.high, data.unit);
  const write = (value: number) =>
    withUnit(formatNumber(value * scale.factor), scale.unit);

  const draw = (u: uPlot) => {
    if (isMap) {
      drawMap(u, data.series, range.least, range.most, scheme);
      return;
    }
    if (props.hasThresholds) drawThresholds(u, metric, colours);
    if (band !== undefined) drawBand(u, band, colours.lines[0]!);
    else drawLines(u, data.series, pinned);
    pinned.forEach((series, index) =>
      drawLine(u, series, pinColour(index), { width: 2 })
    );
  };
  const drawLines = (
    u: uPlot,
    series: readonly PlotSeries[],
    pinned: readonly PlotSeries[],
  ) => {
    const isColoured = series.length <= COLOURED_MAX && pinned.length === 0;
    u.ctx.globalAlpha = isColoured ? 1 : 0.45;
    series.forEach((one, index) =>
      drawLine(u, one, isColoured ? lineColour(index) : colours.muted, {
        isDashed: isColoured && index >= colours.lines.length,
      })
    );
    u.ctx.globalAlpha = 1;
  };
  const lineColour = (index: number) =>
    colours.lines[index % colours.lines.length]!;
  // Pins leave the first colour to the band.
  const pinColour = (index: number) =>
    colours.lines[1 + index % (colours.lines.length - 1)]!;

  const tip = (sec: number, y: number, shareY: number): TipLine[] => {
    if (isMap) {
      const row = mapRow(data.series.length, shareY, 1);
      const series = data.series[row];
      if (series === undefined) return [];
      return [{
        name: seriesName(series, data.scope),
        value: write(valueAt(series, sec)),
      }];
    }
    const pins = pinned.map((series, index) => ({
      name: seriesName(series, data.scope),
      value: write(valueAt(series, sec)),
      colour: pinColour(index),
    }));
    if (band !== undefined) {
      const parts = [["max", band.max], ["mean", band.mean], [
        "min",
        band.min,
      ]] as const;
      return [
        ...pins,
        ...parts.map(([name, series]) => ({
          name,
          value: write(valueAt(series, sec)),
        })),
      ];
    }
    const isColoured = data.series.length <= COLOURED_MAX &&
      pinned.length === 0;
    const names = new Set(pins.map(({ name }) => name));
    return [
      ...pins,
      ...nearest(data.series, sec, y)
        .map(({ series, index, value }) => ({
          name: seriesName(series, data.scope),
          value: write(value),
          ...(isColoured ? { colour: lineColour(index) } : {}),
        }))
        .filter(({ name }) => !names.has(name)),
    ];
  };

  const pick = (sec: number, y: number, shareY: number) => {
    const series = isMap
      ? data.series[mapRow(data.series.length, shareY, 1)]
      : band === undefined
      ? nearest(data.series, sec, y)[0]?.series
      : undefined;
    if (series !== undefined) props.onPin(series.host);
  };

  return (
    <>
      <CanvasPlot
        label={describe(data, write)}
        moments={moments}
        from={props.from}
        to={props.to}
        low={range.low}
        high={range.high}
        {...(isMap ? {} : { scale })}
        draw={draw}
        tip={tip}
        onZoom={props.onZoom}
        onZoomOut={props.onZoomOut}
        onPick={pick}
        version={`${data.nowSec} ${data.from} ${data.series.length} ${mode} ${
          pinned.map(({ host }) => host)
        } ${pinned.length} ${scheme} ${theme}`}
      />
      <div class="plot-foot">
        {isMap && (
          <span>
            {write(range.least)}{" "}
            <span class={`scale-strip scale-${scheme satisfies SchemeName}`} />
            {" "}
            {write(range.most)}, {data.series.length} rows
          </span>
        )}
        {!isMap && band !== undefined && (
          <>
            <span>
              <span class="swatch" style={{ color: colours.lines[0]! }} />mean
            </span>
            <span>
              <span
                class="swatch box"
                style={{
                  color: `color-mix(in srgb, ${
                    colours.lines[0]
                  } 30%, transparent)`,
                }}
              />
              min to max
            </span>
          </>
        )}
        {!isMap && band === undefined && pinned.length === 0 &&
          data.series.length <= COLOURED_MAX &&
          data.series.slice(0, 6).map((series, index) => (
            <span key={index}>
              <span class="swatch" style={{ color: lineColour(index) }} />
              {seriesName(series, data.scope)}
            </span>
          ))}
        {!isMap &&
          pinned.map((series, index) => (
            <span key={seriesName(series, data.scope)}>
              <span class="swatch" style={{ color: pinColour(index) }} />
              {seriesName(series, data.scope)}
            </span>
          ))}
      </div>
    </>
  );
}

/** Ends of the y axis, and the smallest and largest value. */
function rangeOf(
  data: PlotData,
  pinned: readonly PlotSeries[],
  metric: MetricAnswer,
  hasThresholds: boolean,
) {
  const all = [...data.series, ...pinned];
  const [least, most] = [smallest(all), largest(all)];
  const limit = hasThresholds ? metric.normal : 0;
  // The normal threshold is in the picture unless it would flatten what is measured.
  const top = limit > most && limit < 4 * most ? limit * 1.05 : most;
  return {
    low: least < 0 ? -niceCeiling(-least) : 0,
    high: most > 0 ? niceCeiling(top * 1.02) : 1,
    least: least === least ? least : 0,
    most: most === most ? most : 1,
  };
}

function nearest(series: readonly PlotSeries[], sec: number, y: number) {
  return series
    .map((one, index) => ({ series: one, index, value: valueAt(one, sec) }))
    .filter(({ value }) => value === value)
    .sort((a, b) => Math.abs(a.value - y) - Math.abs(b.value - y));
}

/** The plot in a sentence. */
function describe(data: PlotData, write: (value: number) => string): string {
  const band = bandOf(data);
  const of = band === undefined
    ? `${data.series.length} series`
    : "minimum, mean and maximum of all nodes";
  const [least, most] = [smallest(data.series), largest(data.series)];
  if (most !== most) return `${data.metric}: no values`;
  return `${data.metric}, ${of}, from ${write(least)} to ${write(most)}. ` +
    "Arrow keys move the cursor, plus and minus zoom.";
}
