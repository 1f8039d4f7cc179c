/**
 * Moments and spans as people read them (web 8): ISO dates, 24 hours, a named zone,
 * `3 d 04:12` and `12 m 03 s`. The moment "now" is always given by the caller. No DOM,
 * no Deno.
 */

/** A zone that is not known reads as UTC rather than failing a page. */
export function knownZone(name: string): string | undefined {
  if (name === "") return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    return undefined;
  }
}

interface Parts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(sec: number, zone: string): Parts {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  const parts = format.formatToParts(new Date(sec * 1000));
  return Object.fromEntries(
    parts.map(({ type, value }) => [type, value]),
  ) as unknown as Parts;
}

/** `2026-12-01 14:02:10`. */
export function formatMoment(sec: number, zone: string): string {
  if (!isMoment(sec)) return "–";
  const { year, month, day, hour, minute, second } = partsOf(sec, zone);
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** `2026-12-01`. */
export function formatDay(sec: number, zone: string): string {
  return formatMoment(sec, zone).slice(0, 10);
}

/** `14:02`, or `14:02:10` where `withSeconds`. */
export function formatClock(
  sec: number,
  zone: string,
  withSeconds = false,
): string {
  return formatMoment(sec, zone).slice(11, withSeconds ? 19 : 16);
}

/** `UTC`, `UTC+1`, `UTC+5:45`: what the zone is at that moment. */
export function zoneOffset(sec: number, zone: string): string {
  const minutes = offsetMinutes(sec, zone);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60 === 0 ? "" : `:${String(size % 60).padStart(2, "0")}`;
  return `UTC${minutes < 0 ? "\u2212" : "+"}${Math.floor(size / 60)}${rest}`;
}

/** Minutes that the zone's clocks are ahead of UTC. */
export function offsetMinutes(sec: number, zone: string): number {
  const whole = Math.floor(sec);
  return Math.round((wallSec(whole, zone) - whole) / 60);
}

/** The zone's wall time read as if it were UTC; for axes that mark days and hours. */
export function wallSec(sec: number, zone: string): number {
  const { year, month, day, hour, minute, second } = partsOf(sec, zone);
  return Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) / 1000;
}

/** `3 d 04:12`, `14:02 h`, `12 m 03 s`, `9 s`. */
export function formatSpan(sec: number): string {
  if (!Number.isFinite(sec)) return "–";
  const whole = Math.max(0, Math.floor(sec));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${minutes} m ${two(whole % 60)} s`;
  const hours = Math.floor(whole / 3600);
  if (hours < 24) return `${hours}:${two(minutes % 60)} h`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)}:${two(minutes % 60)}`;
}

/** `just now`, `12 s ago`, `4 h ago`, `3 d ago`, `in 5 m`. */
export function formatAge(sec: number, nowSec: number): string {
  if (!isMoment(sec)) return "–";
  const age = Math.round(nowSec - sec);
  const size = Math.abs(age);
  if (size < 5) return "just now";
  const text = size < 120
    ? `${size} s`
    : size < 7200
    ? `${Math.round(size / 60)} m`
    : size < 172_800
    ? `${Math.round(size / 3600)} h`
    : `${Math.round(size / 86_400)} d`;
  return age < 0 ? `in ${text}` : `${text} ago`;
}

/** A span that people wrote: `90`, `90s`, `5m`, `2h`, `3d`, `1:30` (hours). */
export function parseSpan(text: string): number | undefined {
  const trimmed = text.trim();
  const clock = /^(\d{1,5}):([0-5]\d)$/.exec(trimmed);
  if (clock !== null) return Number(clock[1]) * 3600 + Number(clock[2]) * 60;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([smhd]?)$/.exec(trimmed);
  if (match === null) return undefined;
  const unit = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? ""] ?? 1;
  return Math.round(Number(match[1]) * unit);
}

const TICK_STEPS = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800],
];

/** Moments of an axis: round in the zone's own clock, at most `most` of them. */
export function axisTicks(
  from: number,
  to: number,
  most: number,
  zone: string,
): { at: number[]; step: number } {
  const span = Math.max(1, to - from);
  const step = TICK_STEPS.find((one) => span / one <= Math.max(1, most)) ??
    Math.ceil(span / Math.max(1, most) / 86_400) * 86_400;
  const at: number[] = [];
  const ahead = offsetMinutes(from, zone) * 60;
  for (
    let moment = Math.ceil((from + ahead) / step) * step - ahead;
    moment <= to;
    moment += step
  ) {
    // Where clocks change in between, the rest of the axis follows the new offset.
    const shift = step >= 7200 ? offsetMinutes(moment, zone) * 60 - ahead : 0;
    const moved = moment - shift;
    if (moved >= from && moved <= to && moved > (at.at(-1) ?? -Infinity)) {
      at.push(moved);
    }
  }
  return { at, step };
}

/** A text of an axis: days where a day begins, seconds where steps are that short. */
export function tickText(sec: number, step: number, zone: string): string {
  const clock = formatClock(sec, zone, step < 60);
  const isMidnight = wallSec(sec, zone) % 86_400 === 0;
  return step >= 86_400 || isMidnight
    ? formatMoment(sec, zone).slice(5, 10)
    : clock;
}

function isMoment(sec: number): boolean {
  return Number.isFinite(sec) && sec > 0 && sec < 8e12;
}
