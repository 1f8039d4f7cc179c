/**
 * One plot: axes, zoom and the shared crosshair are uPlot's, everything between the
 * axes is drawn by `draw`. A drag zooms the time of all plots, with Shift the values of
 * this one. Works by pointer, touch and keyboard: arrows move the
 * cursor by a point, with Shift by ten, `+` and `-` zoom, Home and End go to the ends,
 * Enter pins what is nearest.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { formatNumber, type Scale } from "../../shared/quantities.ts";
import { axisTicks, formatMoment, tickText } from "../../shared/times.ts";
import { zone } from "../state/session.ts";
import { plotColours, themeChanges } from "./colours.ts";

export interface TipLine {
  readonly name: string;
  readonly value: string;
  readonly colour?: string;
}

export interface CanvasPlotProps {
  /** Says what it shows to people who cannot see it. */
  readonly label: string;
  readonly moments: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
  /** Scale of the numbers at the y axis; absent: rows with names. */
  readonly scale?: Scale;
  readonly draw: (u: uPlot) => void;
  /** The values at a moment; `y` is a value, or a share from the top for rows. */
  readonly tip: (sec: number, y: number, shareY: number) => readonly TipLine[];
  readonly onZoom: (from: number, to: number) => void;
  readonly onZoomOut: () => void;
  /** A click or Enter at a place. */
  readonly onPick?: (sec: number, y: number, shareY: number) => void;
  /** Changes when there is something new to draw. */
  readonly version: unknown;
}

interface Tip {
  readonly left: number;
  readonly isRight: boolean;
  readonly moment: string;
  readonly lines: readonly TipLine[];
  readonly more: number;
}

const SYNC = "page";
const LINES_MAX = 12;
const LEAST_DRAG_PX = 6;

export function CanvasPlot(props: CanvasPlotProps): JSX.Element {
  const area = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const isInside = useRef(false);
  /** Ends of the y axis, where people zoomed this plot alone. */
  const zoomedY = useRef<readonly [number, number] | undefined>(undefined);
  const [tip, setTip] = useState<Tip>();
  const zoneName = zone.value;
  const theme = themeChanges.value;

  const showTip = (u: uPlot) => {
    const { left = -10, top = 0, idx } = u.cursor;
    if (!isInside.current || idx === null || idx === undefined || left < 0) {
      setTip(undefined);
      return;
    }
    const { moments, tip } = latest.current;
    const sec = moments[idx] ?? 0;
    const height = u.over.clientHeight;
    const lines = tip(sec, u.posToVal(top, "y"), top / height);
    setTip({
      left: left + u.over.offsetLeft,
      isRight: left > u.over.clientWidth / 2,
      moment: formatMoment(sec, zone.peek()),
      lines: lines.slice(0, LINES_MAX),
      more: Math.max(0, lines.length - LINES_MAX),
    });
  };

  useEffect(() => {
    const element = area.current!;
    const u = new uPlot(
      optionsOf(element, latest, zoomedY, showTip),
      dataOf(latest.current.moments),
      element,
    );
    plot.current = u;
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0) u.setSize({ width, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      u.destroy();
      plot.current = undefined;
    };
  }, [zoneName, theme, props.scale === undefined]);

  useEffect(() => {
    const u = plot.current;
    if (u === undefined) return;
    u.batch(() => {
      u.setData(dataOf(props.moments), false);
      u.setScale("x", { min: props.from, max: props.to });
      const [min, max] = zoomedY.current ?? [props.low, props.high];
      u.setScale("y", { min, max });
    });
    u.redraw(false, true);
  }, [props.version, props.from, props.to, props.low, props.high]);

  const onKey = (event: KeyboardEvent) => {
    const u = plot.current;
    if (u === undefined || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const { moments, from, to } = latest.current;
    const inView = (at: number) =>
      Math.max(0, Math.min(moments.length - 1, at));
    const now = u.cursor.idx ?? Math.floor(moments.length / 2);
    const by = event.shiftKey ? 10 : 1;
    const middle = moments[now] ?? (from + to) / 2;
    const zoomBy = (factor: number) => {
      const half = ((to - from) / 2) * factor;
      props.onZoom(middle - half, middle + half);
    };
    const moves: Record<string, () => void> = {
      ArrowLeft: () => moveTo(u, inView(now - by)),
      ArrowRight: () => moveTo(u, inView(now + by)),
      ArrowUp: () => moveTo(u, now, -8 * by),
      ArrowDown: () => moveTo(u, now, 8 * by),
      Home: () => moveTo(u, 0),
      End: () => moveTo(u, moments.length - 1),
      "+": () => zoomBy(0.5),
      "-": () => zoomBy(2),
      Backspace: () => history.back(),
      Enter: () => pick(u),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    isInside.current = true;
    move();
  };
  const moveTo = (u: uPlot, index: number, down = 0) => {
    const left = u.valToPos(latest.current.moments[index] ?? 0, "x");
    const top = u.cursor.top !== undefined && u.cursor.top >= 0
      ? u.cursor.top
      : u.over.clientHeight / 2;
    const last = u.over.clientHeight - 1;
    u.setCursor({ left, top: Math.max(0, Math.min(last, top + down)) });
  };
  const pick = (u: uPlot) => {
    const { left = -10, top = 0, idx } = u.cursor;
    if (left < 0 || idx === null || idx === undefined) return;
    const { moments, onPick } = latest.current;
    onPick?.(
      moments[idx] ?? 0,
      u.posToVal(top, "y"),
      top / u.over.clientHeight,
    );
  };

  return (
    <div
      class="plot-area"
      ref={area}
      tabIndex={0}
      role="application"
      aria-roledescription="plot"
      aria-label={props.label}
      onKeyDown={onKey}
      onPointerEnter={() => isInside.current = true}
      onPointerLeave={() => {
        isInside.current = false;
        setTip(undefined);
      }}
      onBlur={() => {
        isInside.current = false;
        setTip(undefined);
      }}
      onClick={() => plot.current && pick(plot.current)}
    >
      <div aria-live="polite">{tip && <TipBox tip={tip} />}</div>
    </div>
  );
}

function TipBox({ tip }: { tip: Tip }): JSX.Element {
  const side = tip.isRight
    ? { right: `calc(100% - ${tip.left - 12}px)` }
    : { left: `${tip.left + 12}px` };
  return (
    <div class="plot-tip" style={side}>
      <strong>{tip.moment}</strong>
      <table role="presentation">
        <tbody>
          {tip.lines.map(({ name, value, colour }) => (
            <tr key={name}>
              <td>
                {colour !== undefined && (
                  <span class="swatch" style={{ color: colour }} />
                )}
                {name}
              </td>
              <td class="number">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {tip.more > 0 && <span class="muted">and {tip.more} more</span>}
    </div>
  );
}

/** uPlot wants a series of its own for the scales; it draws none of it. */
function dataOf(moments: readonly number[]): uPlot.AlignedData {
  return [moments as number[], new Array(moments.length).fill(null)];
}

function optionsOf(
  element: HTMLElement,
  latest: { current: CanvasPlotProps },
  zoomedY: { current: readonly [number, number] | undefined },
  showTip: (u: uPlot) => void,
): uPlot.Options {
  const colours = plotColours();
  const font = "11px system-ui, sans-serif";
  const axis = {
    stroke: colours.muted,
    font,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth || 300,
    height: element.clientHeight || 200,
    padding: [20, 8, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC, scales: ["x", null] },
      drag: { x: true, y: false, dist: LEAST_DRAG_PX, setScale: false },
      bind: {
        mousedown: (u, _target, handler) => (event) => {
          const isY = event.shiftKey && latest.current.scale !== undefined;
          // It keeps this object, so only its values can be changed.
          Object.assign(u.cursor.drag ?? {}, { x: !isY, y: isY });
          return handler(event);
        },
        dblclick: (u) => () => {
          if (zoomedY.current !== undefined) {
            zoomedY.current = undefined;
            u.redraw();
          }
          latest.current.onZoomOut();
          return null;
        },
      },
    },
    scales: {
      x: { time: false, range: () => [latest.current.from, latest.current.to] },
      y: {
        range: () => {
          const [low, high] = zoomedY.current ??
            [latest.current.low, latest.current.high];
          return [low, high];
        },
      },
    },
    series: [{}, { show: true, paths: () => null, points: { show: false } }],
    axes: [
      {
        ...axis,
        size: 26,
        gap: 2,
        splits: (u, _axis, min, max) =>
          axisTicks(min, max, Math.max(2, u.over.clientWidth / 75), zone.peek())
            .at,
        values: (_u, splits) => {
          const step = splits.length > 1 ? splits[1]! - splits[0]! : 60;
          return splits.map((sec) => tickText(sec, step, zone.peek()));
        },
      },
      {
        ...axis,
        size: 46,
        gap: 4,
        show: latest.current.scale !== undefined,
        space: 28,
        values: (_u, splits) =>
          splits.map((value) =>
            formatNumber(value * (latest.current.scale?.factor ?? 1))
          ),
      },
    ],
    hooks: {
      drawAxes: [
        (u) => clipped(u, latest.current.draw),
        (u) => drawUnit(u, latest.current.scale?.unit ?? "", colours.muted),
      ],
      setCursor: [showTip],
      setSelect: [(u) => {
        const { left, width, top, height } = u.select;
        if (u.cursor.drag?.y) {
          if (height < LEAST_DRAG_PX) return;
          zoomedY.current = [
            u.posToVal(top + height, "y"),
            u.posToVal(top, "y"),
          ];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          u.redraw();
          return;
        }
        if (width < LEAST_DRAG_PX) return;
        const from = u.posToVal(left, "x");
        const to = u.posToVal(left + width, "x");
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        latest.current.onZoom(from, to);
      }],
    },
  };
}

/** The unit of the y axis, above its numbers. */
function drawUnit(u: uPlot, unit: string, colour: string): void {
  const { ctx } = u;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.fillStyle = colour;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(unit, 4 * devicePixelRatio, 2 * devicePixelRatio);
  ctx.restore();
}

function clipped(u: uPlot, draw: (u: uPlot) => void): void {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  draw(u);
  u.ctx.restore();
}
