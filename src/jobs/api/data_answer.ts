/**
 * Answers with the metrics of a job, made while they are sent: a large job has
 * gigabytes of text, of which a metric and some pieces are in memory. Main thread.
 */
import { type ApiAnswer, JSON_TYPE } from "../../http/api_route.ts";
import type { BodyStream } from "../../http/body_stream.ts";
import type { NamedMetric } from "../data/job_data.ts";
import { writeJobMetric, writeNamedMetric } from "../data/job_data_json.ts";
import { valuesOf } from "../data/load_job_data.ts";
import { nextTurn } from "../data/turn.ts";
import { JsonWriter } from "../../metricstore/query/json_writer.ts";
import type { OpenJobMetrics } from "../lifecycle/job_metrics.ts";
import type { JobReading } from "../lifecycle/job_reads.ts";

/** Text handed over at a time: a millisecond's work. */
const PIECE_BYTES = 64 << 10;
const BYTES_PER_VALUE = 8;
const ENCODER = new TextEncoder();

type Metrics = AsyncIterable<NamedMetric>;
type Steps = AsyncGenerator<void, void>;

/** Metrics that are read when it is the turn of their answer. */
export interface MetricsInTurn {
  readonly metrics: Metrics;
  close(): void;
}

/**
 * Reads the first metric, so that a failure at once is known before the answer has
 * begun; the others when they are wanted. The result must be closed; if the promise
 * rejects, the given reading is closed.
 */
export async function inTurn(
  reading: JobReading,
  { metrics }: OpenJobMetrics,
): Promise<MetricsInTurn> {
  const close = () => {
    reading.close();
    // Ends when what is being read is there.
    void metrics.return().catch(() => {});
  };
  const next = () =>
    reading.turn(
      () => metrics.next(),
      ({ value }) => value ? valuesOf(value.scopes) * BYTES_PER_VALUE : 0,
    );
  try {
    const first = await next();
    return {
      close,
      metrics: (async function* () {
        for (let read = first; !read.done; read = await next()) {
          yield read.value;
        }
      })(),
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Answers 200 with the text that `write` writes step by step, and a newline. */
export function writtenAnswer(
  { close }: Pick<MetricsInTurn, "close">,
  write: (out: JsonWriter) => Steps,
): ApiAnswer {
  const body: BodyStream = { pieces: writtenPieces(write), close };
  return { status: 200, headers: { "Content-Type": JSON_TYPE }, body };
}

async function* writtenPieces(
  write: (out: JsonWriter) => Steps,
): AsyncGenerator<Uint8Array, void> {
  let pieces: Uint8Array[] = [];
  const out = new JsonWriter(
    (bytes) => pieces.push(bytes.slice()),
    PIECE_BYTES,
  );
  for await (const _ of write(out)) {
    if (pieces.length === 0) continue;
    yield* pieces;
    pieces = [];
    await nextTurn();
  }
  out.raw("\n");
  out.flush();
  yield* pieces;
}

/** `{"Meta":…,"Data":…}` with data by metric and scope; `undefined`: null. */
export async function* writeMetaAndData(
  out: JsonWriter,
  meta: unknown,
  metrics: Metrics | undefined,
): Steps {
  writeMeta(out, meta);
  if (metrics === undefined) out.raw("null}");
  else {
    let separator = "{";
    for await (const metric of metrics) {
      out.raw(separator);
      separator = ",";
      yield* writeNamedMetric(out, metric);
    }
    out.raw(separator === "{" ? "{}}" : "}}");
  }
}

/** The same with a list of metrics. */
export async function* writeMetaAndList(
  out: JsonWriter,
  meta: unknown,
  metrics: Metrics,
): Steps {
  writeMeta(out, meta);
  yield* writeMetricList(out, metrics);
  out.raw("}");
}

/** `[{"name":…,"scope":…,"metric":…}]` */
export async function* writeMetricList(
  out: JsonWriter,
  metrics: Metrics,
): Steps {
  out.raw("[");
  let isFirst = true;
  for await (const { name, scopes } of metrics) {
    for (const [scope, metric] of scopes) {
      out.raw(isFirst ? `{"name":` : `,{"name":`);
      isFirst = false;
      out.string(name);
      out.raw(`,"scope":"${scope}","metric":`);
      yield* writeJobMetric(out, metric);
      out.raw("}");
    }
  }
  out.raw("]");
}

function writeMeta(out: JsonWriter, meta: unknown): void {
  out.raw(`{"Meta":`);
  out.bytes(ENCODER.encode(JSON.stringify(meta)));
  out.raw(`,"Data":`);
}
