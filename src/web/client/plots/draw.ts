/**
 * Draws what lies between the axes: lines, a band of min, mean and max, a heat map, and
 * thresholds. Drawn by ourselves on uPlot's canvas, in its `drawAxes` hook: twice as
 * fast as its own series, and the same for one line and for a thousand (web 5.3).
 */
import type uPlot from "uplot";
import type { MetricAnswer } from "../../shared/answers.ts";
import type { PlotColours, SchemeName } from "./colours.ts";
import { schemeTable } from "./colours.ts";
import type { PlotSeries } from "./plot_data.ts";

const DASH = [6, 4];

/** A line in one colour; gaps where there is no value. */
export function drawLine(
  u: uPlot,
  series: PlotSeries,
  colour: string,
  { width = 1, isDashed = false } = {},
): void {
  const { ctx } = u;
  ctx.beginPath();
  tracePath(u, series);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.setLineDash(isDashed ? DASH.map((n) => n * devicePixelRatio) : []);
  ctx.stroke();
  ctx.setLineDash([]);
}

function tracePath(u: uPlot, { values, from, step }: PlotSeries): void {
  const { ctx } = u;
  const toX = linear(u, "x");
  const toY = linear(u, "y");
  let isDown = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value !== value) {
      isDown = false;
      continue;
    }
    const x = toX(from + i * step);
    const y = toY(value);
    if (isDown) {
      ctx.lineTo(x, y);
    } else {
      ctx.moveTo(x, y);
      // A value alone between gaps is a dot as wide as the line.
      const next = values[i + 1];
      if (next === undefined || next !== next) ctx.lineTo(x + 1.5, y);
      isDown = true;
    }
  }
}

/** From values to pixels of the canvas; both scales are linear. */
function linear(u: uPlot, scale: "x" | "y"): (value: number) => number {
  const { min = 0, max = 1 } = u.scales[scale] as {
    min?: number;
    max?: number;
  };
  const at0 = u.valToPos(min ?? 0, scale, true);
  const at1 = u.valToPos(max ?? 1, scale, true);
  const factor = (at1 - at0) / ((max ?? 1) - (min ?? 0) || 1);
  return (value) => at0 + (value - (min ?? 0)) * factor;
}

/** The area between min and max, and the mean in it. */
export function drawBand(
  u: uPlot,
  band: { min: PlotSeries; mean: PlotSeries; max: PlotSeries },
  colour: string,
): void {
  const { ctx } = u;
  const { min, max } = band;
  const toX = linear(u, "x");
  const toY = linear(u, "y");
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.24;
  const length = Math.min(min.values.length, max.values.length);
  let start = 0;
  while (start < length) {
    if (max.values[start] !== max.values[start]) {
      start++;
      continue;
    }
    let end = start;
    while (end < length && max.values[end] === max.values[end]) end++;
    ctx.beginPath();
    for (let i = start; i < end; i++) {
      ctx.lineTo(toX(max.from + i * max.step), toY(max.values[i]!));
    }
    for (let i = end - 1; i >= start; i--) {
      ctx.lineTo(toX(min.from + i * min.step), toY(min.values[i]!));
    }
    ctx.fill();
    start = end;
  }
  ctx.globalAlpha = 1;
  drawLine(u, band.mean, colour, { width: 1.5 });
}

/** Thresholds as lines with their names. */
export function drawThresholds(
  u: uPlot,
  metric: MetricAnswer,
  colours: PlotColours,
): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const top0 = u.scales.y?.max ?? 0;
  const limits: [string, number, string][] = [
    ["peak", metric.peak, colours.muted],
    ["normal", metric.normal, colours.good],
    ["caution", metric.caution, colours.caution],
    ["alert", metric.alert, colours.alert],
  ];
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.lineWidth = devicePixelRatio;
  let lastTextY = Infinity;
  for (const [name, value, colour] of [...limits].sort((a, b) => a[1] - b[1])) {
    if (!(value > 0) || value > top0) continue;
    const y = Math.round(u.valToPos(value, "y", true)) + 0.5;
    ctx.strokeStyle = colour;
    ctx.setLineDash(DASH.map((n) => n * devicePixelRatio));
    ctx.globalAlpha = 0.8;
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
    // Names that would lie over each other are left out; the lines stay.
    const isFree = lastTextY - y > 12 * devicePixelRatio &&
      y - top > 12 * devicePixelRatio && y <= top + height;
    if (!isFree) continue;
    lastTextY = y;
    ctx.fillStyle = colour;
    ctx.fillText(name, left + width - 3 * devicePixelRatio, y - 1);
  }
}

/** A picture: a row a series, a column a step, from dark (`low`) to bright (`high`). */
export function drawMap(
  u: uPlot,
  series: readonly PlotSeries[],
  low: number,
  high: number,
  scheme: SchemeName,
): void {
  const first = series[0];
  if (first === undefined) return;
  const columns = Math.max(...series.map(({ values }) => values.length));
  if (columns === 0) return;
  const table = schemeTable(scheme);
  const picture = new ImageData(columns, series.length);
  const words = new Uint32Array(picture.data.buffer);
  const factor = 255 / (high - low || 1);
  series.forEach(({ values }, row) => {
    const start = row * columns;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value !== value) continue;
      const level = Math.max(
        0,
        Math.min(255, Math.round((value - low) * factor)),
      );
      words[start + i] = table[level]!;
    }
  });
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = series.length;
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
  const { ctx, bbox } = u;
  const x0 = u.valToPos(first.from - first.step / 2, "x", true);
  const x1 = u.valToPos(first.from + (columns - 0.5) * first.step, "x", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(canvas, x0, bbox.top, x1 - x0, bbox.height);
  ctx.restore();
}

/** Which row of a map a pixel from its upper edge is in. */
export function mapRow(count: number, y: number, height: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor((y / height) * count)));
}
