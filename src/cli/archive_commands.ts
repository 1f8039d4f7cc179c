/**
 * The archive of jobs by the command line: checked, brought in from elsewhere, and
 * made into a database again. Works beside a running server.
 */
import type { ClusterCatalog } from "../cluster/cluster_catalog.ts";
import { loadClusters } from "../cluster/load_clusters.ts";
import { type Config, loadConfig } from "../config/mod.ts";
import { openDatabase } from "../db/database.ts";
import { databaseOptions } from "../db/database_options.ts";
import type { NewJob } from "../db/job_row.ts";
import {
  type ArchiveFinding,
  countArchivedJobs,
  readArchivedJobs,
  verifyArchive,
} from "../jobarchive/archive_import.ts";
import { JobArchive, openJobArchive } from "../jobarchive/job_archive.ts";
import type { JobMeta } from "../jobarchive/job_meta.ts";
import { jobEnergy, jobFootprint } from "../jobdata/job_statistics.ts";
import type { ArchiveLine } from "./archive_flags.ts";
import type { CommonOptions } from "./command_line.ts";
import { printError, printLine } from "./output.ts";
import { ProgressDisplay } from "./progress.ts";

/** Jobs that are put into the database at a time. */
const BATCH_JOBS = 500;

/** Throws when something in the archive is not as it should be. */
export function runArchiveCommand(line: CommonOptions & ArchiveLine): void {
  const { config } = loadConfig(line.configFile);
  const archive = openJobArchive(config.archive.path, {
    validate: config.main.validate,
  });
  const findings = new Findings();
  switch (line.command) {
    case "archive-verify": {
      const good = withProgress(
        archive.root,
        (onProgress) =>
          verifyArchive(archive, { onFinding: findings.note, onProgress }),
      );
      printLine(`${good} jobs are good`);
      break;
    }
    case "archive-init-db":
      intoDatabase(config, archive, findings);
      break;
    case "archive-import": {
      const source = new JobArchive(line.directory);
      const copied = copyJobs(source, archive, findings);
      printLine(`${copied} jobs are in ${archive.root}`);
      intoDatabase(config, archive, findings);
    }
  }
  findings.demandNone();
}

/** Reads every job of the archive; those the database knows stay as they are. */
function intoDatabase(
  config: Config,
  archive: JobArchive,
  findings: Findings,
): void {
  using database = openDatabase(databaseOptions(config));
  const { jobs } = database.tables;
  const { catalog: clusters } = loadClusters(archive.root);
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
  withProgress(archive.root, (onProgress) => {
    const all = readArchivedJobs(archive, {
      onFinding: findings.note,
      onProgress,
    });
    for (const meta of all) {
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

function copyJobs(
  source: JobArchive,
  target: JobArchive,
  findings: Findings,
): number {
  let copied = 0;
  withProgress(source.root, (onProgress) => {
    const all = readArchivedJobs(source, {
      onFinding: findings.note,
      onProgress,
    });
    for (const { job } of all) {
      if (source.copyTo(target, job)) copied++;
    }
  });
  return copied;
}

function withProgress<Result>(
  root: string,
  work: (onProgress: (done: number) => void) => Result,
): Result {
  const all = countArchivedJobs(root);
  const display = new ProgressDisplay("jobs");
  try {
    return work((done) => display.show({ done, all, count: done }));
  } finally {
    display.end();
  }
}

/** What is not as it should be, told as it is found. */
class Findings {
  #count = 0;

  readonly note = ({ path, message }: ArchiveFinding): void => {
    this.#count++;
    printError(`${path}: ${message}`);
  };

  demandNone(): void {
    if (this.#count === 0) return;
    throw new Error(
      this.#count === 1
        ? "one thing is not as it should be"
        : `${this.#count} things are not as they should be`,
    );
  }
}
