/**
 * The JSON of answers, written piece by piece: numbers and times as clients of the
 * Prometheus API read them (prometheus-api 2.1, 2.3, 2.4). Any thread.
 */
import type { ResultData } from "../evaluate/evaluate.ts";
import type { Labels } from "../evaluate/labels.ts";
import { QueryError } from "../evaluate/query_error.ts";

/** A piece is handed over when its text is this long. */
const PIECE_UNITS = 256 << 10;
const ENCODER = new TextEncoder();

export class JsonBody {
  readonly chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #maxBytes: number;
  #text = "";
  #bytes = 0;

  /** A body of more than `maxBytes` is refused. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws a {@linkcode QueryError} (`execution`) where the answer is too large. */
  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_UNITS) this.#encode();
  }

  /** No more text. */
  end(): Uint8Array<ArrayBuffer>[] {
    this.#encode();
    return this.chunks;
  }

  #encode(): void {
    const piece = ENCODER.encode(this.#text);
    this.#text = "";
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

function point(timeMs: number, value: number): string {
  return `[${formatTime(timeMs)},"${formatValue(value)}"]`;
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
      body.add(point(data.timeMs, data.value));
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
          `${i > 0 ? "," : ""}{"metric":${labelsJson(labels)},"value":${
            point(data.timeMs, data.values[i]!)
          }}`,
        );
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
          if (k > 0) body.add(",");
          body.add(point(timesMs[k]!, values[k]!));
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
