/**
 * Durations as PromQL writes them: `1h30m`, units in descending order, each at
 * most once; a week has 7 days, a year 365. Any thread.
 */

const UNITS:
  readonly (readonly [unit: string, ms: number, isExact: boolean])[] = [
    ["y", 365 * 86_400_000, true],
    ["w", 7 * 86_400_000, true],
    ["d", 86_400_000, true],
    ["h", 3_600_000, false],
    ["m", 60_000, false],
    ["s", 1000, false],
    ["ms", 1, false],
  ];
const FORM =
  /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
/** Nanoseconds have to fit 63 bits, as Prometheus keeps them. */
export const DURATION_MS_MAX = 2 ** 63 / 1e6;

/** Milliseconds; throws a `SyntaxError` whose message says why the text is none. */
export function parseDurationMs(text: string): number {
  if (text === "0") return 0;
  if (text === "") throw new SyntaxError("empty duration string");
  const match = FORM.exec(text);
  if (match === null) {
    const unknown = [...text.matchAll(/\d+([^\d]+)/g)].map((part) => part[1]!)
      .find((unit) => !UNITS.some(([known]) => known === unit));
    throw new SyntaxError(
      unknown === undefined
        ? `not a valid duration string: "${text}"`
        : `unknown unit "${unknown}" in duration "${text}"`,
    );
  }
  let ms = 0;
  UNITS.forEach(([, unitMs], i) => {
    const digits = match[i + 1];
    if (digits !== undefined) ms += Number(digits) * unitMs;
  });
  if (ms >= DURATION_MS_MAX) throw new SyntaxError("duration out of range");
  return ms;
}

/** The duration in the largest units that fit: `1h30m`; weeks, days and years only where exact. */
export function formatDurationMs(durationMs: number): string {
  let rest = Math.trunc(durationMs);
  if (rest === 0) return "0s";
  let text = "";
  if (rest < 0) {
    text = "-";
    rest = -rest;
  }
  for (const [unit, unitMs, isExact] of UNITS) {
    if (isExact && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) {
      text += `${count}${unit}`;
      rest -= count * unitMs;
    }
  }
  return text;
}

/** Seconds as they stand in an expression, in milliseconds as evaluation counts. */
export function secondsToMs(seconds: number): number {
  // By way of whole nanoseconds, so that 0.0015 is 1 ms and not 1.4999 rounded up.
  return Math.trunc(roundHalfAway(seconds * 1e9) / 1e6);
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}
