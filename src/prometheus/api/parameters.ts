/**
 * Parameters of the Prometheus API, out of the URL and of a form in the body
 * (prometheus-api 2.2). What is wrong names the parameter. Pure.
 */
import { ClientError } from "../../base/errors.ts";
import { parseDurationMs } from "../language/duration.ts";
import { invalidParameter } from "../language/parameter_error.ts";

/** The longest times that Prometheus writes: about 290 million years around now. */
const TIME_MS_MAX = 9_223_372_036_854_775_807 / 1000;
const FORM_TYPE = "application/x-www-form-urlencoded";
/** Pairs of a form: a selector for each of many variables. */
const PAIRS_MAX = 10_000;

export class Parameters {
  readonly #all: URLSearchParams;

  /**
   * `body` counts where it is a form, and its value where the URL has another. Throws `E_BAD_REQUEST` where it has too many fields.
   */
  constructor(
    search: URLSearchParams,
    contentType: string | undefined,
    body: Uint8Array,
  ) {
    const isRead = body.length > 0 && isForm(contentType);
    const text = isRead ? new TextDecoder().decode(body) : "";
    if (text.split("&", PAIRS_MAX + 1).length > PAIRS_MAX) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `the form has more than ${PAIRS_MAX} fields`,
      );
    }
    this.#all = new URLSearchParams(text);
    for (const [name, value] of search) this.#all.append(name, value);
  }

  /** "" where it is absent. */
  text(name: string): string {
    return this.#all.get(name) ?? "";
  }

  all(name: string): string[] {
    return this.#all.getAll(name);
  }

  /** A time in milliseconds; `fallback` where it is absent. */
  timeMs(name: string, fallback: number | undefined): number {
    const text = this.text(name);
    if (text === "") {
      if (fallback !== undefined) return fallback;
      throw invalidParameter(name, `cannot parse "" to a valid timestamp`);
    }
    const ms = parseTimeMs(text);
    if (ms === undefined) {
      throw invalidParameter(
        name,
        `cannot parse "${text}" to a valid timestamp`,
      );
    }
    return ms;
  }

  /** Seconds or a duration, as milliseconds; `undefined` where it is absent. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === "") return undefined;
    const ms = parseStepMs(text);
    if (ms === undefined) {
      throw invalidParameter(
        name,
        `cannot parse "${text}" to a valid duration`,
      );
    }
    return ms;
  }

  /** An integer of at least 0; 0 where it is absent. */
  limit(name: string, wording?: string): number {
    const text = this.text(name);
    if (text === "") return 0;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    if (wording !== undefined) throw new ClientError("E_BAD_REQUEST", wording);
    throw invalidParameter(name, `"${text}" is no integer of at least 0`);
  }
}

function isForm(contentType: string | undefined): boolean {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase() === FORM_TYPE;
}

/** Decimal seconds rounded to a millisecond, or RFC 3339. */
function parseTimeMs(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    return Math.abs(ms) <= TIME_MS_MAX ? ms : undefined;
  }
  if (text === "-292273086-05-16T16:47:06Z") return -TIME_MS_MAX;
  if (text === "+292277025-08-18T07:12:54.999999999Z") return TIME_MS_MAX;
  return parseRfc3339(text);
}

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds, a fraction rounded; `undefined` for what is no date, as 30 February. */
function parseRfc3339(text: string): number | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  const date = new Date(0);
  // Years below 100 are meant as they stand.
  date.setUTCFullYear(year!, month! - 1, day);
  const utc = date.setUTCHours(hour!, minute, second);
  if (
    date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day ||
    hour! > 23 || minute! > 59 || second! > 59
  ) return undefined;
  const zone = match[8]!;
  const offsetMin = zone.length === 1
    ? 0
    : Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  const sign = zone.startsWith("-") ? -1 : 1;
  const fractionMs = Math.round(Number(match[7] ?? 0) * 1000);
  return utc + fractionMs - sign * offsetMin * 60_000;
}

/** Decimal seconds, or a duration as in PromQL. */
function parseStepMs(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    return Math.abs(ms) <= TIME_MS_MAX ? ms : undefined;
  }
  try {
    return parseDurationMs(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
