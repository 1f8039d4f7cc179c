/**
 * The job archive as files: reading and writing one job. Any number of threads may
 * read; one writes. A file appears whole or not at all, the data before the meta
 * file that makes it a job of the archive, so that whenever the process dies what
 * is there is readable.
 */
import { isThere, parentOf } from "../../base/paths.ts";
import { parseExact } from "../../base/job_number.ts";
import { prepareArchive } from "../../config/clusters/archive_version.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type JobData,
  type JobMetricByScope,
  metricsOf,
  type NamedMetric,
} from "../data/job_data.ts";
import { DENO_FILES, type Files } from "../../metricstore/persist/files.ts";
import { groupFiles } from "../../metricstore/persist/group_files.ts";
import { orStorageError } from "../../metricstore/persist/storage_error.ts";
import { JobArchiveError } from "./archive_error.ts";
import {
  CLUSTER_FILE,
  DATA_FILE,
  jobDirectory,
  type JobPlace,
  META_FILE,
  PACKED_DATA_FILE,
} from "./archive_layout.ts";
import {
  DataFileWriter,
  dataPath,
  type DataSelection,
  readDataFile,
  readIfThere,
  writeWhole,
} from "./data_file.ts";
import {
  editJobMeta,
  type JobMeta,
  type MetaEdit,
  readJobMeta,
  writeJobMeta,
} from "./job_meta.ts";
import { schemaFault } from "./schema_check.ts";

export interface JobArchiveOptions {
  /** Hold every file read against the published schemas. */
  readonly validate?: boolean;
  /**
   * New files and directories get the group of the archive's directory and its rights.
   */
  readonly keepsGroup?: boolean;
  readonly files?: Files;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class JobArchive {
  readonly root: string;
  readonly #validate: boolean;
  readonly #files: Files;

  /** Does not look at the directory; {@linkcode openJobArchive} does. */
  constructor(root: string, options: JobArchiveOptions = {}) {
    this.root = root;
    this.#validate = options.validate ?? false;
    this.#files = options.files ??
      (options.keepsGroup ? groupFiles(root) : DENO_FILES);
  }

  /** How files of the archive are made. */
  get files(): Files {
    return this.#files;
  }

  /**
   * Reads the meta file of a job. Throws `E_NOT_FOUND` if there is none,
   * `JobArchiveError` if it is bad.
   */
  readMeta(place: JobPlace): JobMeta {
    const path = `${jobDirectory(this.root, place)}/${META_FILE}`;
    const bytes = readIfThere(path);
    if (bytes === undefined) throw notArchived(place);
    try {
      const text = decoder.decode(bytes);
      const json = parseExact(text);
      // The schema's integers are numbers.
      const fault = this.#validate
        ? schemaFault("meta", JSON.parse(text))
        : undefined;
      if (fault !== undefined) throw new SyntaxError(fault);
      return readJobMeta(json, place);
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /**
   * Calls `take` with each selected metric of a job, one at a time, in the order of
   * their names; errors as those of {@linkcode readMeta}.
   */
  async readMetrics(
    place: JobPlace,
    take: (metric: NamedMetric) => Promise<void> | void,
    selection?: DataSelection,
  ): Promise<void> {
    const path = this.requireData(place);
    await readDataFile(path, this.#validate, take, selection);
  }

  /** The path of a job's metrics; throws `E_NOT_FOUND`. */
  requireData(place: JobPlace): string {
    const path = dataPath(jobDirectory(this.root, place));
    if (path === undefined) throw notArchived(place);
    return path;
  }

  /** All metrics of a job at once; it may be large. */
  async readData(place: JobPlace): Promise<JobData> {
    const data = new Map<string, JobMetricByScope>();
    await this.readMetrics(place, ({ name, scopes }) => {
      data.set(name, scopes);
    });
    return data;
  }

  /** Begins to archive a job, or to archive it anew. Throws `E_STORAGE`. */
  begin(place: JobPlace): JobWriter {
    return new JobWriter(
      new DataFileWriter(this.#files, this.#directoryOf(place)),
      (meta) =>
        this.#writeMeta(this.#directoryOf(meta.job), writeJobMeta(meta)),
    );
  }

  /** Archives a job, or archives it anew. Throws `E_STORAGE`. */
  async write(meta: JobMeta, data: JobData): Promise<void> {
    const writer = this.begin(meta.job);
    try {
      for (const metric of metricsOf(data)) await writer.add(metric);
      await writer.finish(meta);
    } catch (error) {
      writer.abort();
      throw error;
    }
  }

  /** Whether a job is in the archive. */
  has(place: JobPlace): boolean {
    return isThere(`${jobDirectory(this.root, place)}/${META_FILE}`);
  }

  /** Changes the meta file of a job; false: it has none, so there is nothing to do. */
  editMeta(place: JobPlace, edit: MetaEdit): boolean {
    const directory = jobDirectory(this.root, place);
    const path = `${directory}/${META_FILE}`;
    const bytes = readIfThere(path);
    if (bytes === undefined) return false;
    let text: string;
    try {
      text = editJobMeta(decoder.decode(bytes), edit);
    } catch (error) {
      throw unreadable(path, error);
    }
    this.#writeMeta(directory, text);
    return true;
  }

  /**
   * Copies a job into another archive, byte for byte, unless it is there already; the
   * configuration of its cluster goes with it. Returns false if this archive does not
   * have the job.
   */
  copyTo(target: JobArchive, place: JobPlace): boolean {
    const from = jobDirectory(this.root, place);
    const meta = readIfThere(`${from}/${META_FILE}`);
    if (meta === undefined) return false;
    if (target.has(place)) return true;
    this.#copyCluster(target, place.cluster);
    const to = target.#directoryOf(place);
    for (const name of [PACKED_DATA_FILE, DATA_FILE]) {
      const bytes = readIfThere(`${from}/${name}`);
      if (bytes !== undefined) writeWhole(target.#files, to, name, [bytes]);
    }
    writeWhole(target.#files, to, META_FILE, [meta]);
    return true;
  }

  /** Takes a job out of the archive, the meta file first; false: there is none. */
  remove(place: JobPlace): boolean {
    const directory = jobDirectory(this.root, place);
    const names = this.#files.list(directory);
    const ordered = names.sort((a) => a === META_FILE ? -1 : 1);
    orStorageError("an archived job cannot be removed", directory, () => {
      for (const name of ordered) this.#files.remove(`${directory}/${name}`);
      if (ordered.length > 0) this.#files.syncDirectory(directory);
    });
    orStorageError("a directory cannot be removed", directory, () => {
      removeEmptyDirectories(directory, `${this.root}/${place.cluster}`);
    });
    return ordered.includes(META_FILE);
  }

  /**
   * A server starts with no archive that has a cluster without its configuration: the
   * directory of a cluster appears together with it, whenever the process dies.
   */
  #copyCluster(target: JobArchive, cluster: string): void {
    const directory = `${target.root}/${cluster}`;
    if (isThere(`${directory}/${CLUSTER_FILE}`)) return;
    const bytes = readIfThere(`${this.root}/${cluster}/${CLUSTER_FILE}`);
    // Then it is no archive that a server starts with, and neither is this one.
    if (bytes === undefined) return;
    const files = target.#files;
    if (isThere(directory)) {
      return writeWhole(files, directory, CLUSTER_FILE, [bytes]);
    }
    // Names that begin with a dot are of no cluster.
    const part = `${target.root}/.${crypto.randomUUID()}.tmp`;
    orStorageError("a directory cannot be made", directory, () => {
      files.makeDirectory(part);
      writeWhole(files, part, CLUSTER_FILE, [bytes]);
      files.rename(part, directory);
      files.syncDirectory(target.root);
    });
  }

  #writeMeta(directory: string, text: string): void {
    writeWhole(this.#files, directory, META_FILE, [encoder.encode(text)]);
  }

  /** Makes the directory of a job, its names on the device too. */
  #directoryOf(place: JobPlace): string {
    const directory = jobDirectory(this.root, place);
    const files = this.#files;
    orStorageError("a directory cannot be made", directory, () => {
      const missing: string[] = [];
      for (let path = directory; !isThere(path); path = parentOf(path)) {
        missing.push(path);
      }
      files.makeDirectory(directory);
      for (const path of missing) files.syncDirectory(parentOf(path));
    });
    return directory;
  }
}

/** A job on its way into the archive; it is there once it is finished. */
export class JobWriter {
  readonly #data: DataFileWriter;
  readonly #writeMeta: (meta: JobMeta) => void;

  constructor(data: DataFileWriter, writeMeta: (meta: JobMeta) => void) {
    this.#data = data;
    this.#writeMeta = writeMeta;
  }

  /** Metrics come in the order of their names. */
  add(metric: NamedMetric): Promise<void> {
    return this.#data.add(metric);
  }

  async finish(meta: JobMeta): Promise<void> {
    await this.#data.finish();
    this.#writeMeta(meta);
  }

  /** Gives the job up; also after anything here has thrown. */
  abort(): void {
    this.#data.abort();
  }
}

/**
 * The archive in a directory; none or an empty one becomes an archive. Throws a
 * `ConfigError` where the directory holds anything else.
 */
export function openJobArchive(
  root: string,
  options: JobArchiveOptions = {},
): JobArchive {
  prepareArchive(
    root,
    options.keepsGroup ? groupFiles(root) : options.files,
  );
  return new JobArchive(root, options);
}

function notArchived({ cluster, jobId, startTime }: JobPlace): ClientError {
  return new ClientError(
    "E_NOT_FOUND",
    `job ${jobId} of ${cluster}, started at ${startTime}, is not in the archive`,
  );
}

function unreadable(path: string, cause: unknown): JobArchiveError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new JobArchiveError(
    `the archived record of the job is not readable: ${reason}`,
    path,
    cause,
  );
}

/** Removes a directory and those above it below `top`, as long as they are empty. */
function removeEmptyDirectories(directory: string, top: string): void {
  let path = directory;
  for (; path.length > top.length; path = parentOf(path)) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      // Other jobs are there.
      if (error instanceof Error && "code" in error) {
        if (error.code === "ENOTEMPTY") return;
      }
      throw error;
    }
  }
}
