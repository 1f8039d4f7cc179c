/**
 * What a request of a batch system that was refused is about, for the log: the job and
 * the cluster that its JSON names at the top. Pure.
 */
import { parseExact } from "./job_number.ts";
import type { LogFields } from "./log.ts";

/** Larger texts are not looked into. */
const TEXT_CHARS_MAX = 1 << 20;
/** Longest name that is told. */
const NAME_CHARS_MAX = 64;
const DECODER = new TextDecoder();

/** Nothing of what is no JSON object, or names neither. */
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
