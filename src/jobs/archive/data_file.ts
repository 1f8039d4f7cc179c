/**
 * The file with the metrics of a job: written as `data.json`, or compressed as
 * `data.json.gz` once its text is longer than {@linkcode PLAIN_BYTES_MAX}; of the
 * two, readers prefer the compressed one.
 *
 * A job may have gigabytes of text, so both ways go in pieces: the writer gets one
 * metric after the other, the reader has one metric in memory at a time. Worker
 * threads: both take long.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { pipeline, Readable } from "node:stream";
import { createGunzip, createGzip, type Gzip } from "node:zlib";
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import { ClientError } from "../../base/errors.ts";
import { keptScopes } from "../data/arrange_job_data.ts";
import type {
  JobMetric,
  JobMetricByScope,
  NamedMetric,
} from "../data/job_data.ts";
import { writeNamedMetric } from "../data/job_data_json.ts";
import {
  type JobDataOutline,
  readMetrics,
  readOutline,
} from "../data/job_data_reader.ts";
import { JsonCursor } from "../data/json_cursor.ts";
import { AtomicFile } from "../../metricstore/persist/atomic_file.ts";
import type { Files } from "../../metricstore/persist/files.ts";
import { JsonWriter } from "../../metricstore/query/json_writer.ts";
import { JobArchiveError } from "./archive_error.ts";
import { DATA_FILE, PACKED_DATA_FILE } from "./archive_layout.ts";
import { schemaFault } from "./schema_check.ts";

/** Longest text that is not worth compressing; upstream has the same bound. */
export const PLAIN_BYTES_MAX = 2000;
/**
 * Longest text that is written: a month of 8 nodes with 128 threads and nine metrics
 * each minute. Beyond it a job is archived in a coarser scope.
 */
export const DATA_BYTES_MAX = 8 * 1024 ** 3;
/** Longest text held against the schema: a JavaScript string holds 2^29 characters. */
const CHECKED_BYTES_MAX = 512 * 1024 ** 2 - 1024;
/** Half the time of level 6, files 4 % larger on the traces of a real job. */
const GZIP_LEVEL = 4;
const PIECE_BYTES = 256 << 10;

/** The file of a job while it is written, metric by metric in the order of their names. */
export class DataFileWriter {
  readonly #files: Files;
  readonly #directory: string;
  readonly #bytesMax: number;
  /** Text that is not in a file yet. */
  #pieces: Uint8Array[] = [];
  readonly #out = new JsonWriter((bytes) => this.#pieces.push(bytes.slice()));
  #packed: PackedFile | undefined;
  #separator = "{";

  /** The directory of the job exists. */
  constructor(files: Files, directory: string, bytesMax = DATA_BYTES_MAX) {
    this.#files = files;
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /**
   * Appends a metric; series over series are left out, readers derive them. Throws
   * `E_TOO_MANY_SAMPLES` where the text becomes too long, and `E_STORAGE`.
   */
  async add({ name, scopes }: NamedMetric): Promise<void> {
    this.#out.raw(this.#separator);
    this.#separator = ",";
    const metric = { name, scopes: withoutStatisticsSeries(scopes) };
    for (const _ of writeNamedMetric(this.#out, metric)) {
      if (this.#pieces.length > 0) await this.#writeOn();
    }
  }

  /** Puts the file into its place and takes away the other form of it. */
  async finish(): Promise<void> {
    this.#out.raw(this.#separator === "{" ? "{}" : "}");
    this.#out.flush();
    if (this.#packed === undefined && this.#out.written <= PLAIN_BYTES_MAX) {
      writeWhole(this.#files, this.#directory, DATA_FILE, this.#pieces);
      removeIfThere(this.#files, `${this.#directory}/${PACKED_DATA_FILE}`);
      return;
    }
    await this.#writeOn();
    await this.#packed?.publish();
    removeIfThere(this.#files, `${this.#directory}/${DATA_FILE}`);
  }

  /** Gives the file up; also after anything here has thrown. */
  abort(): void {
    this.#packed?.abort();
  }

  async #writeOn(): Promise<void> {
    const { written } = this.#out;
    if (written > this.#bytesMax) {
      throw new ClientError(
        "E_TOO_MANY_SAMPLES",
        `the metrics of the job are more than ${this.#bytesMax} bytes of JSON`,
      );
    }
    this.#packed ??= new PackedFile(this.#files, this.#directory);
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) await this.#packed.write(piece);
  }
}

/** A compressed file that appears whole or not at all. */
class PackedFile {
  readonly #file: AtomicFile;
  readonly #gzip: Gzip = createGzip({ level: GZIP_LEVEL });
  #failure: unknown;

  constructor(files: Files, directory: string) {
    this.#file = new AtomicFile(files, directory, PACKED_DATA_FILE);
    this.#gzip.on("error", (error) => this.#failure ??= error);
    this.#gzip.on("data", (bytes: Uint8Array) => {
      // Thrown here it would be lost in the stream.
      try {
        if (this.#failure === undefined) this.#file.write(bytes);
      } catch (error) {
        this.#failure = error;
      }
    });
  }

  async write(piece: Uint8Array): Promise<void> {
    if (!this.#gzip.write(piece)) await once(this.#gzip, "drain");
    if (this.#failure !== undefined) throw this.#failure;
  }

  async publish(): Promise<void> {
    const ended = once(this.#gzip, "end");
    this.#gzip.end();
    await ended;
    if (this.#failure !== undefined) throw this.#failure;
    this.#file.publish();
  }

  abort(): void {
    this.#gzip.destroy();
    this.#file.abort();
  }
}

function withoutStatisticsSeries(scopes: JobMetricByScope): JobMetricByScope {
  return new Map(
    [...scopes].map(([scope, { unit, timestep, series }]) =>
      [scope, { unit, timestep, series } satisfies JobMetric] as const
    ),
  );
}

/**
 * Compresses the plain file of a job if it is longer than the limit for plain files.
 * Returns whether it was. Throws the errors of the file system.
 */
export async function packDataFile(
  files: Files,
  directory: string,
): Promise<boolean> {
  const plain = `${directory}/${DATA_FILE}`;
  const size = sizeOf(plain);
  if (size === undefined || size <= PLAIN_BYTES_MAX) return false;
  if (sizeOf(`${directory}/${PACKED_DATA_FILE}`) === undefined) {
    const packed = new PackedFile(files, directory);
    try {
      for await (const piece of piecesOf(Deno.openSync(plain))) {
        await packed.write(piece);
      }
      await packed.publish();
    } catch (error) {
      packed.abort();
      throw error;
    }
  }
  removeIfThere(files, plain);
  return true;
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

/** The selected metrics of a job. */
export interface DataSelection {
  /** Names; absent: all. */
  readonly metrics?: readonly string[] | undefined;
  /** Those of a metric are kept if it has any of them; else all it has. */
  readonly scopes: readonly MetricScope[];
}

const EVERYTHING: DataSelection = { scopes: [] };

/**
 * The path of the data in a job's directory; `undefined`: there is none. The file may
 * be compressed by another thread before it is opened.
 */
export function dataPath(directory: string): string | undefined {
  const packed = `${directory}/${PACKED_DATA_FILE}`;
  const plain = `${directory}/${DATA_FILE}`;
  return [packed, plain, packed].find((path) => sizeOf(path) !== undefined);
}

/**
 * Calls `take` with each selected metric of a file, one at a time, in the order of the
 * file; a name that ends in `.gz` says that it is compressed. `check` also holds it
 * against the published schema first. Rejects with {@linkcode JobArchiveError}, or with
 * the error of `take`.
 */
export async function readDataFile(
  path: string,
  check: boolean,
  take: (metric: NamedMetric) => Promise<void> | void,
  selection: DataSelection = EVERYTHING,
): Promise<void> {
  const { metrics, scopes } = selection;
  let takingFailed = false;
  const taking = async (metric: NamedMetric) => {
    // A metric without scopes is read whatever was selected.
    if (metrics !== undefined && !metrics.includes(metric.name)) return;
    try {
      await take(metric);
    } catch (error) {
      takingFailed = true;
      throw error;
    }
  };
  try {
    if (check) await checkSchema(path);
    const isSelective = metrics !== undefined || scopes.length > 0;
    const outline = isSelective
      ? await withCursor(path, readOutline)
      : undefined;
    const kept = outline && keptOf(outline, selection);
    await withCursor(path, (cursor) =>
      readMetrics(
        cursor,
        (name, scope) => kept?.get(name)?.includes(scope) ?? kept === undefined,
        taking,
      ));
  } catch (error) {
    if (takingFailed || error instanceof JobArchiveError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new JobArchiveError(
      `the archived metrics of the job are not readable: ${reason}`,
      path,
      error,
    );
  }
}

function keptOf(
  outline: JobDataOutline,
  { metrics, scopes }: DataSelection,
): JobDataOutline {
  return new Map(
    [...outline].map(([name, stored]) => [
      name,
      metrics === undefined || metrics.includes(name)
        ? keptScopes(stored, scopes)
        : [],
    ]),
  );
}

async function withCursor<Result>(
  path: string,
  read: (cursor: JsonCursor) => Promise<Result>,
): Promise<Result> {
  const pieces = textPieces(path);
  try {
    return await read(new JsonCursor(pieces));
  } finally {
    await pieces.return(undefined);
  }
}

async function checkSchema(path: string): Promise<void> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of textPieces(path)) {
    bytes += piece.length;
    if (bytes > CHECKED_BYTES_MAX) {
      throw new SyntaxError(
        `more than ${CHECKED_BYTES_MAX} bytes cannot be held against the schema`,
      );
    }
    pieces.push(piece);
  }
  const json: unknown = JSON.parse(Buffer.concat(pieces).toString("utf8"));
  const fault = schemaFault("data", json);
  if (fault !== undefined) throw new SyntaxError(fault);
}

/** The text of a file, inflated if need be. */
async function* textPieces(path: string): AsyncGenerator<Uint8Array, void> {
  const bytes = piecesOf(Deno.openSync(path));
  if (!path.endsWith(".gz")) {
    yield* bytes;
    return;
  }
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  // A failure of either comes out of the loop; the callback has to be there.
  pipeline(Readable.from(bytes), gunzip, () => {});
  for await (const piece of gunzip) yield piece as Uint8Array;
}

async function* piecesOf(file: Deno.FsFile): AsyncGenerator<Uint8Array, void> {
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE_BYTES);
      const count = await file.read(piece);
      if (count === null) return;
      yield piece.subarray(0, count);
    }
  } finally {
    file.close();
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
