/**
 * The archive of jobs by the command line: checked, brought in from elsewhere, and
 * made into a database again. Works beside a running server.
 */
import type { ClusterCatalog } from "../../config/clusters/cluster_catalog.ts";
import {
  ARCHIVE_VERSION,
  checkForeignVersion,
} from "../../config/clusters/archive_version.ts";
import {
  checkClusterFolder,
  clusterFolders,
  loadClusters,
} from "../../config/clusters/load_clusters.ts";
import { ConfigError } from "../../config/settings/config_error.ts";
import { type Config, loadConfig } from "../../config/settings/mod.ts";
import { isArchiveShared } from "../../config/settings/schema.ts";
import { openDatabase } from "../../db/database.ts";
import { databaseOptions } from "../../db/database_options.ts";
import type { NewJob } from "../../db/job_row.ts";
import {
  type ArchiveFinding,
  countArchivedJobs,
  readArchivedJobs,
  verifyArchive,
} from "../../jobs/archive/archive_import.ts";
import {
  JobArchive,
  type JobArchiveOptions,
  openJobArchive,
} from "../../jobs/archive/job_archive.ts";
import type { JobMeta } from "../../jobs/archive/job_meta.ts";
import { jobEnergy, jobFootprint } from "../../jobs/data/job_statistics.ts";
import type { ArchiveLine } from "./archive_flags.ts";
import type { CommonOptions } from "./command_line.ts";
import { printError, printLine } from "./output.ts";
import { ProgressDisplay } from "./progress.ts";

/** Jobs that are put into the database at a time. */
const BATCH_JOBS = 500;

type FileCommand = Exclude<
  ArchiveLine,
  { readonly command: "archive-status" | "archive-retry" }
>;

/** Throws when something in the archive is not as it should be. */
export async function runArchiveCommand(
  line: CommonOptions & FileCommand,
): Promise<void> {
  const { config } = loadConfig(line.configFile);
  const findings = new Findings();
  if (line.command === "archive-verify") {
    await verify(config, line.directory, findings);
  } else {
    const archive = openJobArchive(config.archive.path, {
      validate: config.main.validate,
      keepsGroup: isArchiveShared(config),
    });
    // Before anything is copied: what is wrong here would end it half-way.
    let { catalog } = loadClusters(archive.root);
    if (line.command === "archive-import") {
      await importInto(archive, line.directory, findings);
      ({ catalog } = loadClusters(archive.root));
    }
    await intoDatabase(config, archive, catalog, findings);
  }
  findings.end();
}

/** The archive of the configuration, or one elsewhere, in which nothing is written. */
async function verify(
  config: Config,
  directory: string | undefined,
  findings: Findings,
): Promise<void> {
  const options = {
    validate: config.main.validate,
    keepsGroup: isArchiveShared(config),
  };
  const archive = directory === undefined
    ? openJobArchive(config.archive.path, options)
    : foreignArchive(directory, options);
  for (const [folder, fault] of badClusters(archive.root)) {
    findings.note({ path: `${archive.root}/${folder}`, message: fault });
  }
  const good = await withProgress(
    archive.root,
    (onProgress) =>
      verifyArchive(archive, { onFinding: findings.note, onProgress }),
  );
  printLine(`${good} jobs in ${archive.root} are good`);
}

/** Throws where the directory is not there, or has another version. */
function foreignArchive(
  directory: string,
  options: JobArchiveOptions,
): JobArchive {
  if (!Deno.statSync(directory).isDirectory) {
    throw new Error(`${directory} is not a directory`);
  }
  if (!checkForeignVersion(directory)) {
    printError(
      `${directory}: has no version.txt, and is taken for version ${ARCHIVE_VERSION}`,
    );
  }
  return new JobArchive(directory, options);
}

/** Clusters that no server would start with, and why. */
function badClusters(root: string): Map<string, string> {
  const bad = new Map<string, string>();
  for (const folder of clusterFolders(root)) {
    try {
      checkClusterFolder(root, folder);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      bad.set(folder, error.message);
    }
  }
  return bad;
}

async function importInto(
  archive: JobArchive,
  directory: string,
  findings: Findings,
): Promise<void> {
  const source = foreignArchive(directory, {});
  const without = new Set<string>();
  // Ours counts where there is one.
  const known = new Set(clusterFolders(archive.root));
  for (const [folder, fault] of badClusters(source.root)) {
    if (known.has(folder)) continue;
    without.add(folder);
    findings.note({
      path: `${source.root}/${folder}`,
      message: `nothing of this cluster is taken in: ${fault}`,
    });
  }
  const { all, copied } = await copyJobs(source, archive, without, findings);
  printLine(
    `${all} jobs of ${source.root} are in ${archive.root}, ${copied} of them new there`,
  );
}

/** Reads every job of the archive; those the database knows stay as they are. */
async function intoDatabase(
  config: Config,
  archive: JobArchive,
  clusters: ClusterCatalog,
  findings: Findings,
): Promise<void> {
  using database = openDatabase(databaseOptions(config));
  const { jobs } = database.tables;
  let count = 0;
  let batch: JobMeta[] = [];
  const flush = () => {
    count += jobs.importJobs(
      batch.map((meta) => ({
        job: archivedJob(meta, clusters),
        tags: meta.tags,
      })),
    );
    batch = [];
  };
  await withProgress(archive.root, async (onProgress) => {
    const all = readArchivedJobs(archive, {
      onFinding: findings.note,
      onProgress,
    });
    for await (const meta of all) {
      findings.noteState(meta);
      batch.push(meta);
      if (batch.length === BATCH_JOBS) flush();
    }
  });
  flush();
  printLine(`${count} jobs were new to ${config.main.db}`);
}

/** With what follows from its statistics, as the archiver would have noted it. */
function archivedJob(
  { job: { id: _, ...job }, statistics }: JobMeta,
  clusters: ClusterCatalog,
): NewJob {
  const archived: NewJob = { ...job, monitoringStatus: 3 };
  const subCluster = clusters.subCluster(job.cluster, job.subCluster);
  if (subCluster === undefined) return archived;
  return {
    ...archived,
    footprint: jobFootprint(statistics, subCluster),
    ...jobEnergy(statistics, subCluster, job),
  };
}

async function copyJobs(
  source: JobArchive,
  target: JobArchive,
  without: ReadonlySet<string>,
  findings: Findings,
): Promise<{ readonly all: number; readonly copied: number }> {
  let all = 0;
  let copied = 0;
  await withProgress(source.root, async (onProgress) => {
    const jobs = readArchivedJobs(source, {
      without,
      onFinding: findings.note,
      onProgress,
    });
    for await (const { job } of jobs) {
      const isNew = !target.has(job);
      if (!source.copyTo(target, job)) continue;
      all++;
      if (isNew) copied++;
    }
  }, without);
  return { all, copied };
}

async function withProgress<Result>(
  root: string,
  work: (onProgress: (done: number) => void) => Promise<Result>,
  without?: ReadonlySet<string>,
): Promise<Result> {
  const all = countArchivedJobs(root, without);
  const display = new ProgressDisplay("jobs");
  try {
    return await work((done) => display.show({ done, all, count: done }));
  } finally {
    display.end();
  }
}

/** What is not as it should be, told as it is found. */
class Findings {
  #count = 0;
  /** Jobs by the state that their files have, and by what it is read as. */
  readonly #states = new Map<string, number>();

  readonly note = ({ path, message }: ArchiveFinding): void => {
    this.#count++;
    printError(`${path}: ${message}`);
  };

  /** Old words are no fault; they are told once, at the end. */
  noteState({ formerState, job }: JobMeta): void {
    if (formerState === undefined) return;
    const words = `"${formerState}" is read as "${job.jobState}"`;
    this.#states.set(words, (this.#states.get(words) ?? 0) + 1);
  }

  /** Throws when something was found. */
  end(): void {
    for (const [words, jobs] of this.#states) {
      printError(`jobState ${words} in ${jobs} jobs`);
    }
    if (this.#count === 0) return;
    throw new Error(
      this.#count === 1
        ? "one thing is not as it should be"
        : `${this.#count} things are not as they should be`,
    );
  }
}
