/**
 * Names the job and the cluster of a refused request of a batch system, for the log.
 * Pure.
 */
import { parseExact } from "./job_number.ts";
import type { LogFields } from "./log.ts";

/** Larger texts are not looked into. */
const TEXT_CHARS_MAX = 1 << 20;
/** Longest name that is told. */
const NAME_CHARS_MAX = 64;
const DECODER = new TextDecoder();

/**
 * Returns `jobId` and `cluster` of the JSON object's top level; `{}` if the text is not
 * a JSON object or has more than 1 Mi characters.
 */
export function jobFields(json: Uint8Array | string): LogFields {
  if (json.length > TEXT_CHARS_MAX) return {};
  let value: unknown;
  try {
    value = parseExact(typeof json === "string" ? json : DECODER.decode(json));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
  if (typeof value !== "object" || value === null) return {};
  return {
    job: told(Reflect.get(value, "jobId")),
    cluster: told(Reflect.get(value, "cluster")),
  };
}

function told(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "bigint" ||
      typeof value === "string"
    ? String(value).slice(0, NAME_CHARS_MAX)
    : undefined;
}
