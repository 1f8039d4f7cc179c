/**
 * The file with the metrics of a job: written as `data.json`, or compressed as
 * `data.json.gz` once its text is longer than {@linkcode PLAIN_BYTES_MAX}; of the
 * two, readers prefer the compressed one.
 *
 * Writing holds the text of one metric at a time. Reading holds the whole text, so
 * it is bounded; the writer keeps to the same bound. Worker threads: both take long.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createGzip, gunzipSync } from "node:zlib";
import type { JobData, JobMetric } from "../jobdata/job_data.ts";
import { readJobData, writeJobMetric } from "../jobdata/job_data_json.ts";
import { AtomicFile } from "../persist/atomic_file.ts";
import type { Files } from "../persist/files.ts";
import { JsonWriter } from "../query/json_writer.ts";
import { JobArchiveError } from "./archive_error.ts";
import { DATA_FILE, PACKED_DATA_FILE } from "./archive_layout.ts";
import { schemaFault } from "./schema_check.ts";

/** Longest text that is not worth compressing; upstream has the same bound. */
export const PLAIN_BYTES_MAX = 2000;
/** Longest text read: a JavaScript string holds 2^29 characters. */
export const DATA_BYTES_MAX = 512 * 1024 ** 2 - 1024;
/** Half the time of level 6, files 4 % larger on the traces of a real job. */
const GZIP_LEVEL = 4;

/**
 * Puts the data of a job into its directory, which exists, and takes away the
 * other form of the file. Statistics over series are left out: readers derive them.
 */
export async function writeDataFile(
  files: Files,
  directory: string,
  data: JobData,
): Promise<void> {
  const pieces = jsonPieces(data);
  const head: Uint8Array[] = [];
  let headBytes = 0;
  // Step by step: leaving a `for` loop would end the pieces.
  while (headBytes <= PLAIN_BYTES_MAX) {
    const piece = pieces.next();
    if (piece.done) break;
    head.push(piece.value);
    headBytes += piece.value.length;
  }
  if (headBytes <= PLAIN_BYTES_MAX) {
    writeWhole(files, directory, DATA_FILE, head);
    removeIfThere(files, `${directory}/${PACKED_DATA_FILE}`);
  } else {
    await writePacked(files, directory, chain(head, pieces));
    removeIfThere(files, `${directory}/${DATA_FILE}`);
  }
}

/**
 * Compresses the plain file of a job if it is longer than what is left plain.
 * Returns whether it was. Throws what the file system says.
 */
export async function packDataFile(
  files: Files,
  directory: string,
): Promise<boolean> {
  const plain = `${directory}/${DATA_FILE}`;
  const size = sizeOf(plain);
  if (size === undefined || size <= PLAIN_BYTES_MAX) return false;
  if (sizeOf(`${directory}/${PACKED_DATA_FILE}`) === undefined) {
    await writePacked(files, directory, [Deno.readFileSync(plain)]);
  }
  removeIfThere(files, plain);
  return true;
}

/** Text of the metrics, a piece a metric and scope; scopes in order of their names. */
function* jsonPieces(data: JobData): Generator<Uint8Array, void> {
  let piece: Uint8Array[] = [];
  const out = new JsonWriter((bytes) => piece.push(bytes.slice()));
  const taken = () => {
    out.flush();
    const bytes = Buffer.concat(piece);
    piece = [];
    return bytes;
  };
  let separator = "{";
  for (const [name, scopes] of sorted(data)) {
    out.raw(separator);
    separator = ",";
    out.string(name);
    out.raw(":");
    let inner = "{";
    for (const [scope, metric] of sorted(scopes)) {
      out.raw(inner);
      inner = ",";
      out.string(scope);
      out.raw(":");
      writeJobMetric(out, withoutStatisticsSeries(metric));
      yield taken();
    }
    out.raw(inner === "{" ? "{}" : "}");
  }
  out.raw(separator === "{" ? "{}" : "}");
  yield taken();
}

function sorted<Value>(
  map: ReadonlyMap<string, Value>,
): (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

function withoutStatisticsSeries(
  { unit, timestep, series }: JobMetric,
): JobMetric {
  return { unit, timestep, series };
}

function* chain(
  head: readonly Uint8Array[],
  rest: Iterable<Uint8Array>,
): Generator<Uint8Array> {
  yield* head;
  yield* rest;
}

/** A file that appears whole or not at all. */
export function writeWhole(
  files: Files,
  directory: string,
  name: string,
  pieces: readonly Uint8Array[],
): void {
  const file = new AtomicFile(files, directory, name);
  try {
    for (const piece of pieces) file.write(piece);
    file.publish();
  } catch (error) {
    file.abort();
    throw error;
  }
}

async function writePacked(
  files: Files,
  directory: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const file = new AtomicFile(files, directory, PACKED_DATA_FILE);
  const gzip = createGzip({ level: GZIP_LEVEL });
  try {
    let failure: unknown;
    gzip.on("error", (error) => failure ??= error);
    gzip.on("data", (bytes: Uint8Array) => {
      // Thrown here it would be lost in the stream.
      try {
        if (failure === undefined) file.write(bytes);
      } catch (error) {
        failure = error;
      }
    });
    let bytes = 0;
    for (const piece of pieces) {
      bytes += piece.length;
      if (bytes > DATA_BYTES_MAX) throw tooLong(directory);
      if (!gzip.write(piece)) await once(gzip, "drain");
      if (failure !== undefined) throw failure;
    }
    const ended = once(gzip, "end");
    gzip.end();
    await ended;
    if (failure !== undefined) throw failure;
    file.publish();
  } catch (error) {
    gzip.destroy();
    file.abort();
    throw error;
  }
}

function tooLong(directory: string): JobArchiveError {
  return new JobArchiveError(
    `the metrics of the job are more than ${DATA_BYTES_MAX} bytes of JSON`,
    directory,
  );
}

/**
 * The data in a job's directory; `undefined` if there is none. `check` also holds
 * it against the published schema. Throws {@linkcode JobArchiveError}.
 */
export function readDataFile(
  directory: string,
  check: boolean,
): JobData | undefined {
  const packed = `${directory}/${PACKED_DATA_FILE}`;
  const plain = `${directory}/${DATA_FILE}`;
  // The file may be compressed by another thread between two looks at it.
  for (const path of [packed, plain, packed]) {
    const bytes = readIfThere(path);
    if (bytes !== undefined) return parseData(bytes, path, check);
  }
  return undefined;
}

/**
 * The data in the bytes of a file; a name that ends in `.gz` says that they are
 * compressed. Throws {@linkcode JobArchiveError}.
 */
export function parseData(
  bytes: Uint8Array,
  path: string,
  check: boolean,
): JobData {
  try {
    if (bytes.length > DATA_BYTES_MAX) throw tooLong(path);
    const text = path.endsWith(".gz")
      ? gunzipSync(bytes, { maxOutputLength: DATA_BYTES_MAX })
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const json: unknown = JSON.parse(text.toString("utf8"));
    const fault = check ? schemaFault("data", json) : undefined;
    if (fault !== undefined) throw new SyntaxError(fault);
    return readJobData(json);
  } catch (error) {
    if (error instanceof JobArchiveError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new JobArchiveError(
      `the archived metrics of the job are not readable: ${reason}`,
      path,
      error,
    );
  }
}

/** The bytes of a file; `undefined`: there is none. */
export function readIfThere(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new JobArchiveError("the job archive cannot be read", path, error);
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function removeIfThere(files: Files, path: string): void {
  try {
    files.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
