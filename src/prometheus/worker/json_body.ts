/**
 * The JSON of answers, written piece by piece: numbers and times as clients of the
 * Prometheus API read them (prometheus-api 2.1, 2.3, 2.4). Any thread.
 */
import type { ResultData } from "../evaluate/evaluate.ts";
import {
  MAX_NUMBER_BYTES,
  writeNumber,
} from "../../metricstore/query/json_number.ts";
import type { Labels } from "../evaluate/labels.ts";
import { QueryError } from "../evaluate/query_error.ts";

/** Bytes of a piece. */
const PIECE_BYTES = 256 << 10;
/** A text that is longer is encoded on its own. */
const TEXT_UNITS = 16 << 10;
/** A point: its brackets, comma and quotes, a time and a value. */
const POINT_BYTES = 2 * MAX_NUMBER_BYTES + 16;
/** Times and values below it are written digit by digit. */
const PLAIN_MAX = 2 ** 53;
const PLAIN_MIN = 1e-6;
const ENCODER = new TextEncoder();
const [OPEN, CLOSE, COMMA, QUOTE] = ENCODER.encode('[],"') as unknown as [
  number,
  number,
  number,
  number,
];

export class JsonBody {
  readonly chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #maxBytes: number;
  #piece = new Uint8Array(PIECE_BYTES);
  #view = new DataView(this.#piece.buffer);
  #at = 0;
  #bytes = 0;

  /** A body of more than `maxBytes` is refused. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws a {@linkcode QueryError} (`execution`) where the answer is too large. */
  add(text: string): void {
    if (text.length > TEXT_UNITS) {
      this.#flush();
      this.#push(ENCODER.encode(text));
      return;
    }
    this.#reserve(3 * text.length);
    this.#at +=
      ENCODER.encodeInto(text, this.#piece.subarray(this.#at)).written;
  }

  /** Fast path. Adds `[time,"value"]`; a comma comes before all but the first. */
  addPoint(timeMs: number, value: number, isFirst: boolean): void {
    this.#reserve(POINT_BYTES);
    const bytes = this.#piece;
    let at = this.#at;
    if (!isFirst) bytes[at++] = COMMA;
    bytes[at++] = OPEN;
    const seconds = timeMs / 1000;
    at = seconds === Math.floor(seconds) && seconds >= 0
      ? writeNumber(bytes, this.#view, at, seconds)
      : writeAscii(bytes, at, formatTime(timeMs));
    bytes[at++] = COMMA;
    bytes[at++] = QUOTE;
    const magnitude = Math.abs(value);
    const isPlain = magnitude < PLAIN_MAX &&
      (magnitude >= PLAIN_MIN || magnitude === 0);
    at = isPlain
      ? writeNumber(bytes, this.#view, at, value)
      : writeAscii(bytes, at, formatValue(value));
    bytes[at++] = QUOTE;
    bytes[at++] = CLOSE;
    this.#at = at;
  }

  /** No more text. */
  end(): Uint8Array<ArrayBuffer>[] {
    this.#flush();
    return this.chunks;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes > PIECE_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#at === 0) return;
    this.#push(this.#piece.slice(0, this.#at));
    this.#at = 0;
  }

  #push(piece: Uint8Array<ArrayBuffer>): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) {
      throw new QueryError(
        "execution",
        `the answer is larger than ${this.#maxBytes} bytes`,
      );
    }
    this.chunks.push(piece);
  }
}

function writeAscii(bytes: Uint8Array, position: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    bytes[position + i] = text.charCodeAt(i);
  }
  return position + text.length;
}

/** Seconds: whole, or with three digits behind the point. */
export function formatTime(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000);
  const ms = timeMs - seconds * 1000;
  if (ms === 0) return String(seconds);
  if (timeMs < 0) return (timeMs / 1000).toFixed(3);
  return `${seconds}.${String(ms).padStart(3, "0")}`;
}

/** The shortest decimal that reads back the same; exponents have two digits at least. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  }
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  const at = text.indexOf("e");
  if (at < 0 || text.length - at > 3) return text;
  return `${text.slice(0, at + 2)}0${text.slice(at + 2)}`;
}

/** A label set as an object. */
export function labelsJson(labels: Labels): string {
  const pairs = labels.names.map((name, i) =>
    `${JSON.stringify(name)}:${JSON.stringify(labels.values[i])}`
  );
  return `{${pairs.join(",")}}`;
}

/** Samples of a matrix between two breaks. */
const POINTS_A_BREAK = 50_000;
/** Series of a vector between two breaks. */
const SERIES_A_BREAK = 5000;

/**
 * `{"resultType":…,"result":…` without the brace that ends it, at most `limit` series
 * (0: all). `pause` is called now and then between series. Returns whether series
 * were left out.
 */
export async function writeResult(
  body: JsonBody,
  data: ResultData,
  limit: number,
  pause: () => Promise<void>,
): Promise<boolean> {
  body.add(`{"resultType":"${data.type}","result":`);
  let isCut = false;
  switch (data.type) {
    case "scalar":
      body.addPoint(data.timeMs, data.value, true);
      break;
    case "string":
      body.add(`[${formatTime(data.timeMs)},${JSON.stringify(data.value)}]`);
      break;
    case "vector":
      isCut = limit > 0 && data.labels.length > limit;
      body.add("[");
      for (const [i, labels] of data.labels.entries()) {
        if (isCut && i >= limit) break;
        body.add(
          `${i > 0 ? "," : ""}{"metric":${labelsJson(labels)},"value":`,
        );
        body.addPoint(data.timeMs, data.values[i]!, true);
        body.add("}");
        if ((i + 1) % SERIES_A_BREAK === 0) await pause();
      }
      body.add("]");
      break;
    case "matrix": {
      isCut = limit > 0 && data.series.length > limit;
      body.add("[");
      let points = 0;
      for (const [i, { labels, timesMs, values }] of data.series.entries()) {
        if (isCut && i >= limit) break;
        body.add(
          `${i > 0 ? "," : ""}{"metric":${labelsJson(labels)},"values":[`,
        );
        for (let k = 0; k < values.length; k++) {
          body.addPoint(timesMs[k]!, values[k]!, k === 0);
        }
        body.add("]}");
        points += values.length;
        if (points >= POINTS_A_BREAK) {
          points = 0;
          await pause();
        }
      }
      body.add("]");
    }
  }
  return isCut;
}
