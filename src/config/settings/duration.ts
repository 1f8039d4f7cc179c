/**
 * Durations as Go writes them: a sequence of number and unit, such as `48h`,
 * `1h30m`, `90s`, `1.5h` or `250ms`; `0` needs no unit. There is no unit for days.
 */

/** Seconds of a unit as a fraction, so that whole parts of a second stay exact. */
const UNITS: Readonly<Record<string, readonly [number, number]>> = {
  ns: [1, 1e9],
  us: [1, 1e6],
  "µs": [1, 1e6],
  "μs": [1, 1e6],
  ms: [1, 1e3],
  s: [1, 1],
  m: [60, 1],
  h: [3600, 1],
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Seconds, possibly fractional and possibly negative; `undefined` if it is no duration. */
export function parseDuration(text: string): number | undefined {
  const negative = text.startsWith("-");
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  let sec = 0;
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const match = PART.exec(body);
    if (match === null) return undefined;
    const [times, by] = UNITS[match[2] ?? ""] ?? [NaN, 1];
    sec += Number(match[1]) * times / by;
    at = PART.lastIndex;
  }
  if (at === 0 || !Number.isFinite(sec)) return undefined;
  return negative ? -sec : sec;
}
