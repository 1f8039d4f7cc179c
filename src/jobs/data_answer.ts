/**
 * Answers with the metrics of a job, written in pieces: a large job has hundreds of
 * megabytes, which make no good string. Main thread.
 */
import type { JsonBody } from "../engine/metric_engine.ts";
import type { ApiAnswer } from "../http/api_route.ts";
import type { JobData } from "../jobdata/job_data.ts";
import { writeJobData, writeJobMetric } from "../jobdata/job_data_json.ts";
import { JsonWriter } from "../query/json_writer.ts";

/** 200 with what `write` writes, and a newline. */
export function writtenAnswer(write: (out: JsonWriter) => void): ApiAnswer {
  const chunks: Uint8Array[] = [];
  const out = new JsonWriter((bytes) => chunks.push(bytes.slice()));
  write(out);
  out.raw("\n");
  out.flush();
  const body: JsonBody = { chunks, byteLength: out.written };
  return { status: 200, headers: { "Content-Type": "application/json" }, body };
}

/** `{"Meta":…,"Data":…}` with data by metric and scope; `undefined`: null. */
export function writeMetaAndData(
  out: JsonWriter,
  meta: unknown,
  data: JobData | undefined,
): void {
  writeMeta(out, meta);
  if (data === undefined) out.raw("null");
  else writeJobData(out, data);
  out.raw("}");
}

/** The same with a list of metrics. */
export function writeMetaAndList(
  out: JsonWriter,
  meta: unknown,
  data: JobData,
): void {
  writeMeta(out, meta);
  writeMetricList(out, data);
  out.raw("}");
}

/** `[{"name":…,"scope":…,"metric":…}]` */
export function writeMetricList(out: JsonWriter, data: JobData): void {
  out.raw("[");
  let isFirst = true;
  for (const [name, byScope] of data) {
    for (const [scope, metric] of byScope) {
      out.raw(isFirst ? `{"name":` : `,{"name":`);
      isFirst = false;
      out.string(name);
      out.raw(`,"scope":"${scope}","metric":`);
      writeJobMetric(out, metric);
      out.raw("}");
    }
  }
  out.raw("]");
}

const ENCODER = new TextEncoder();

function writeMeta(out: JsonWriter, meta: unknown): void {
  out.raw(`{"Meta":`);
  out.bytes(ENCODER.encode(JSON.stringify(meta)));
  out.raw(`,"Data":`);
}
