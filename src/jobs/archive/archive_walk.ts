/**
 * Going through an archive job by job, in order: clusters by name, then job ids,
 * then start times. Holds the names of one directory of each level at a time,
 * however many jobs there are. Reads no file. Any thread; blocks while it reads
 * directories.
 */
import { INT64_MAX, type JobNumber } from "../../base/job_number.ts";
import {
  isClusterName,
  jobDirectoryNames,
  jobIdOf,
  type JobPlace,
  restOf,
  startTimeOf,
  thousandsOf,
} from "./archive_layout.ts";

/** Where a walk goes on: behind this place. */
export type WalkCursor = JobPlace;

export interface WalkOptions {
  /** Only places behind this one. */
  readonly after?: WalkCursor | undefined;
  /** Clusters that are passed over. */
  readonly without?: ReadonlySet<string> | undefined;
  /** Called with the path of every directory that can hold no job. */
  readonly onStrange?: (path: string) => void;
}

/** The names of the clusters, sorted. */
export function archivedClusters(root: string): string[] {
  return directoryNames(root).filter(isClusterName).sort();
}

/**
 * The places of all jobs, or those behind `after`: directories, whether or not a
 * meta file is in them. A directory that goes meanwhile is passed over.
 */
export function* walkArchive(
  root: string,
  options: WalkOptions = {},
): Generator<JobPlace> {
  const { after, onStrange, without } = options;
  for (const cluster of archivedClusters(root)) {
    if (without?.has(cluster)) continue;
    if (after !== undefined && cluster < after.cluster) continue;
    const within = after?.cluster === cluster ? after : undefined;
    yield* walkCluster(root, cluster, within, onStrange);
  }
}

function* walkCluster(
  root: string,
  cluster: string,
  after: WalkCursor | undefined,
  onStrange: WalkOptions["onStrange"],
): Generator<JobPlace> {
  const top = `${root}/${cluster}`;
  for (const thousands of numbersIn(top, thousandsOf, onStrange)) {
    const last = jobIdOf(thousands, 999) ?? INT64_MAX;
    if (after !== undefined && last < after.jobId) continue;
    const upper = `${top}/${thousands}`;
    for (const rest of numbersIn(upper, restOf, onStrange)) {
      const jobId = jobIdOf(thousands, rest);
      if (jobId === undefined) {
        onStrange?.(`${upper}/${rest}`);
        continue;
      }
      if (after !== undefined && jobId < after.jobId) continue;
      const lower = `${upper}/${jobDirectoryNames(jobId)[1]}`;
      for (const startTime of numbersIn(lower, startTimeOf, onStrange)) {
        const isDone = after?.jobId === jobId && startTime <= after.startTime;
        if (!isDone) yield { cluster, jobId, startTime };
      }
    }
  }
}

/** The numbers that directories are named after, in order. */
function numbersIn<Value extends JobNumber>(
  directory: string,
  numberOf: (name: string) => Value | undefined,
  onStrange: WalkOptions["onStrange"],
): Value[] {
  const numbers: Value[] = [];
  for (const name of directoryNames(directory)) {
    const number = numberOf(name);
    if (number !== undefined) numbers.push(number);
    else onStrange?.(`${directory}/${name}`);
  }
  return numbers.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

function directoryNames(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)]
      .filter((entry) => !entry.isFile && !entry.name.startsWith("."))
      .map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
