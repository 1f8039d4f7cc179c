/**
 * Reading all jobs of an archive, to fill a database with them or to verify what
 * is there. One job is held at a time; one that cannot be read is reported and the
 * next is taken. For commands; blocks.
 */
import { parseExact } from "../../base/job_number.ts";
import { DENO_FILES } from "../../metricstore/persist/files.ts";
import { TEMPORARY_SUFFIX } from "../../metricstore/persist/filenames.ts";
import {
  DATA_FILE,
  jobDirectory,
  type JobPlace,
  META_FILE,
  PACKED_DATA_FILE,
} from "./archive_layout.ts";
import { JobArchiveError, pathOf } from "./archive_error.ts";
import { readDataFile, readIfThere } from "./data_file.ts";
import { walkArchive, type WalkCursor } from "./archive_walk.ts";
import type { JobArchive } from "./job_archive.ts";
import { type JobMeta, placeOf, readJobMeta } from "./job_meta.ts";

/** Something in the archive that is not as it should be. */
export interface ArchiveFinding {
  readonly path: string;
  readonly message: string;
}

export interface ReadOptions {
  readonly after?: WalkCursor | undefined;
  /** Clusters that are passed over. */
  readonly without?: ReadonlySet<string>;
  /** Told of every job that is not among those yielded. */
  readonly onFinding: (finding: ArchiveFinding) => void;
  /** Read and check the metrics too; they are not yielded. */
  readonly withData?: boolean;
  /** Told once a directory, readable or not; `done` counts them. */
  readonly onProgress?: (done: number) => void;
}

/** How many job directories there are, for progress; reads no file. */
export function countArchivedJobs(
  root: string,
  without?: ReadonlySet<string>,
): number {
  let count = 0;
  for (const _ of walkArchive(root, { without })) count++;
  return count;
}

/** The meta files of all jobs, in the order of {@linkcode walkArchive}. */
export async function* readArchivedJobs(
  archive: JobArchive,
  options: ReadOptions,
): AsyncGenerator<JobMeta> {
  const { after, onFinding, withData = false, onProgress, without } = options;
  const onStrange = (path: string) =>
    onFinding({ path, message: "is not a directory of an archive" });
  let done = 0;
  for (
    const place of walkArchive(archive.root, { after, onStrange, without })
  ) {
    const meta = await readOne(archive, place, withData, onFinding);
    if (meta !== undefined) yield meta;
    onProgress?.(++done);
  }
}

/**
 * Everything that is wrong with an archive, job by job: files that cannot be read,
 * leftovers, hosts with metrics that the job did not have. `onProgress` as in
 * {@linkcode readArchivedJobs}. Returns how many jobs are good.
 */
export async function verifyArchive(
  archive: JobArchive,
  options: Omit<ReadOptions, "withData">,
): Promise<number> {
  let good = 0;
  for await (
    const _ of readArchivedJobs(archive, { ...options, withData: true })
  ) good++;
  return good;
}

/**
 * Puts a job that lies in two files of any place into the archive (`import` of
 * single jobs) and returns what its meta file says. Throws `JobArchiveError` where
 * a file is missing or bad, else as `JobArchive.write`.
 */
export async function importJobFiles(
  archive: JobArchive,
  metaPath: string,
  dataPath: string,
): Promise<JobMeta> {
  const bytes = existing(metaPath);
  demandFile(dataPath);
  let meta: JobMeta;
  try {
    const json = parseExact(new TextDecoder().decode(bytes));
    meta = readJobMeta(json, placeOf(json));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new JobArchiveError(
      `${metaPath} is not the record of a job: ${reason}`,
      metaPath,
      error,
    );
  }
  const writer = archive.begin(meta.job);
  try {
    await readDataFile(dataPath, false, (metric) => writer.add(metric));
    await writer.finish(meta);
  } catch (error) {
    writer.abort();
    throw error;
  }
  return meta;
}

function existing(path: string): Uint8Array {
  const bytes = readIfThere(path);
  if (bytes !== undefined) return bytes;
  throw missing(path);
}

function demandFile(path: string): void {
  try {
    Deno.statSync(path);
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? missing(path) : error;
  }
}

function missing(path: string): JobArchiveError {
  return new JobArchiveError(`${path} does not exist`, path);
}

async function readOne(
  archive: JobArchive,
  place: JobPlace,
  withData: boolean,
  onFinding: ReadOptions["onFinding"],
): Promise<JobMeta | undefined> {
  const directory = jobDirectory(archive.root, place);
  try {
    const meta = archive.readMeta(place);
    if (withData) {
      await checkData(archive, meta, onFinding);
      reportLeftovers(directory, onFinding);
    }
    return meta;
  } catch (error) {
    onFinding({
      path: pathOf(error) || directory,
      message: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

async function checkData(
  archive: JobArchive,
  { job }: JobMeta,
  onFinding: ReadOptions["onFinding"],
): Promise<void> {
  const hosts = new Set(job.resources.map((one) => one.hostname));
  const strangers = new Set<string>();
  await archive.readMetrics(job, ({ scopes }) => {
    for (const { series } of scopes.values()) {
      for (const { hostname } of series) {
        if (!hosts.has(hostname)) strangers.add(hostname);
      }
    }
  });
  if (strangers.size === 0) return;
  onFinding({
    path: jobDirectory(archive.root, job),
    message: `has metrics of hosts that the job did not have: ${
      [...strangers].slice(0, 5).join(", ")
    }`,
  });
}

const KNOWN_FILES = [META_FILE, DATA_FILE, PACKED_DATA_FILE];

function reportLeftovers(
  directory: string,
  onFinding: ReadOptions["onFinding"],
): void {
  const names = DENO_FILES.list(directory);
  for (const name of names) {
    const path = `${directory}/${name}`;
    if (name.endsWith(TEMPORARY_SUFFIX)) {
      onFinding({ path, message: "was never finished and can be removed" });
    } else if (!KNOWN_FILES.includes(name)) {
      onFinding({ path, message: "is not a file of an archive" });
    } else if (name === DATA_FILE && names.includes(PACKED_DATA_FILE)) {
      onFinding({ path, message: "is not read, since there is a .gz of it" });
    }
  }
}
