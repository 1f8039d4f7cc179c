/** The colours of plots: those of tokens.css, and the scales of heat maps (web 8). */
import { signal } from "@preact/signals";

/** Counts up when the theme changes; plots draw again then. */
export const themeChanges = signal(0);

export interface PlotColours {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly page: string;
  readonly good: string;
  readonly caution: string;
  readonly alert: string;
  readonly lines: readonly string[];
}

let known: { at: number; colours: PlotColours } | undefined;

export function plotColours(): PlotColours {
  const at = themeChanges.value;
  if (known?.at === at) return known.colours;
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const colours = {
    text: read("--text"),
    muted: read("--muted"),
    line: read("--line"),
    page: read("--raised"),
    good: read("--good"),
    caution: read("--caution"),
    alert: read("--alert"),
    lines: [1, 2, 3, 4, 5].map((number) => read(`--plot-${number}`)),
  };
  known = { at, colours };
  return colours;
}

export type SchemeName = "cividis" | "viridis";

const SCHEMES: Readonly<Record<SchemeName, readonly string[]>> = {
  cividis: ["00224e", "35456c", "666970", "948e77", "c8b866", "fee838"],
  viridis: ["440154", "404387", "29788e", "22a784", "79d151", "fde724"],
};
const STEPS = 256;

/** 256 colours of a scale as RGBA words in the order of an `ImageData`. */
export function schemeTable(name: SchemeName): Uint32Array {
  const stops = SCHEMES[name].map((hex) =>
    [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16))
  );
  return Uint32Array.from({ length: STEPS }, (_, i) => {
    const place = (i / (STEPS - 1)) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(place));
    const [r, g, b] = [0, 1, 2].map((channel) => {
      const [from, to] = [stops[low]![channel]!, stops[low + 1]![channel]!];
      return Math.round(from + (to - from) * (place - low));
    });
    return (255 << 24 | b! << 16 | g! << 8 | r!) >>> 0;
  });
}
