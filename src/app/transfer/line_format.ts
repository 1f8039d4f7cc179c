/**
 * Samples as line protocol (metric-store 2.1). Pure.
 *
 * Names and numbers come back from the parser exactly as they went in: a name
 * that no line can carry has no key, and values are written with the fewest
 * digits that mean the same float64.
 */
import { levelTags } from "../../metricstore/parquet/level_names.ts";

/** Where a sample belongs; `levels` are the names below the host, at most two. */
export interface SeriesName {
  readonly cluster: string;
  readonly host: string;
  readonly levels: readonly string[];
  readonly metric: string;
}

/** Seconds beyond this would be read as milliseconds. */
const SECONDS_MAX = 1e11;

/**
 * Measurement, tags and the field's name: what stands before the value of every
 * line of a series. `undefined`: a name cannot be written in a line.
 */
export function lineKey(
  name: SeriesName,
  types: readonly string[],
): string | undefined {
  const { cluster, host, levels, metric } = name;
  const names = [cluster, host, metric, ...levels];
  if (!names.every(isWritable) || metric.startsWith("#")) return undefined;
  const tags = [["cluster", cluster], ["hostname", host]] as const;
  const below = levels.flatMap((level, i) =>
    levelTags(level, i === 0 ? "type" : "stype", types)
  );
  const text = [...tags, ...below].map(([tag, value]) =>
    `,${tag}=${value.replace(/[,= ]/g, "\\$&")}`
  );
  return `${metric.replace(/[, ]/g, "\\$&")}${text.join("")} value=`;
}

/** A whole line with its end; the key is that of `lineKey`. */
export function formatLine(
  key: string,
  value: number,
  timestampSec: number,
): string {
  // String(-0) is "0".
  return value === 0 && Object.is(value, -0)
    ? `${key}-0 ${timestampSec}\n`
    : `${key}${value} ${timestampSec}\n`;
}

/** Whether a line can say that time, in seconds. */
export function isWritableTime(timestampSec: number): boolean {
  return Number.isInteger(timestampSec) && Math.abs(timestampSec) < SECONDS_MAX;
}

/**
 * Control characters and unpaired surrogates are refused by the server. A
 * backslash at the end would take the separator behind it for an escaped one.
 */
function isWritable(name: string): boolean {
  if (name === "" || name.endsWith("\\") || !name.isWellFormed()) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}
