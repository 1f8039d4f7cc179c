/** Job data out of a text, for tests. */
import type { JobData, JobMetricByScope } from "./job_data.ts";
import { readMetrics } from "./job_data_reader.ts";
import { JsonCursor } from "./json_cursor.ts";

/** A text in pieces of so many bytes. */
export function* inPieces(text: string, bytes: number): Generator<Uint8Array> {
  const all = new TextEncoder().encode(text);
  for (let at = 0; at < all.length; at += bytes) {
    yield all.subarray(at, at + bytes);
  }
}

/** Everything in a text that comes in pieces of so many bytes. */
export async function readText(
  text: string,
  bytes: number = 1 << 20,
): Promise<JobData> {
  const data = new Map<string, JobMetricByScope>();
  await readMetrics(
    new JsonCursor(inPieces(text, bytes)),
    () => true,
    ({ name, scopes }) => void data.set(name, scopes),
  );
  return data;
}
