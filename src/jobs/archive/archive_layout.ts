/**
 * Every name in a job archive (format version 3, job-api 6):
 *
 *     <root>/version.txt, compress.txt
 *     <root>/<cluster>/cluster.json
 *     <root>/<cluster>/<jobId div 1000>/<jobId mod 1000, 3 digits>/<startTime>/
 *         meta.json, data.json or data.json.gz
 *
 * A job is in the archive if and only if its `meta.json` is. Pure.
 */
import { ClientError } from "../../base/errors.ts";
import {
  INT64_MAX,
  type JobNumber,
  jobNumber,
  parseJobNumber,
} from "../../base/job_number.ts";

/** When leftovers were last compressed; upstream reads it. */
export const COMPRESS_FILE = "compress.txt";
export const CLUSTER_FILE = "cluster.json";
export const META_FILE = "meta.json";
export const DATA_FILE = "data.json";
export const PACKED_DATA_FILE = "data.json.gz";

/** The last digits of a job id: a thousand jobs share a directory. */
const REST_DIGITS = 3;
const NUMBER = /^(0|[1-9]\d*)$/;
const JOBS_PER_DIRECTORY = 10 ** REST_DIGITS;

/** The values that name a job for good, and thereby its place. */
export interface JobPlace {
  readonly cluster: string;
  readonly jobId: JobNumber;
  /** Unix epoch seconds. */
  readonly startTime: number;
}

/** The directory of a job. Throws `E_BAD_REQUEST` for a cluster that is no file name. */
export function jobDirectory(root: string, place: JobPlace): string {
  const { cluster, jobId, startTime } = place;
  if (!isClusterName(cluster)) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `cluster: ${JSON.stringify(cluster)} cannot be the name of a directory`,
    );
  }
  if (jobId < 0 || !isCount(startTime)) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `jobId, startTime: ${jobId} at ${startTime} has no place in the archive`,
    );
  }
  const [thousands, rest] = jobDirectoryNames(jobId);
  return `${root}/${cluster}/${thousands}/${rest}/${startTime}`;
}

/** `1034871` → `1034`, `871`. */
export function jobDirectoryNames(jobId: JobNumber): [string, string] {
  const digits = String(jobId).padStart(REST_DIGITS + 1, "0");
  return [digits.slice(0, -REST_DIGITS), digits.slice(-REST_DIGITS)];
}

/** The number of a directory above the job's; `undefined`: it is not one. */
export function thousandsOf(name: string): JobNumber | undefined {
  return NUMBER.test(name) ? parseJobNumber(name) : undefined;
}

/** The last three digits that a directory stands for; `undefined`: it does not. */
export function restOf(name: string): number | undefined {
  return /^\d{3}$/.test(name) ? Number(name) : undefined;
}

/** The start time that a job's directory is named after; `undefined`: it is not one. */
export function startTimeOf(name: string): number | undefined {
  return numberOf(name);
}

/** The job id whose directories are these; `undefined`: it has more than 64 bits. */
export function jobIdOf(
  thousands: JobNumber,
  rest: number,
): JobNumber | undefined {
  const jobId = BigInt(thousands) * BigInt(JOBS_PER_DIRECTORY) + BigInt(rest);
  return jobId > INT64_MAX ? undefined : jobNumber(jobId);
}

/** Whether a name is one directory below the root and nothing else. */
export function isClusterName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/^\.{0,2}$|[/\\\x00]/.test(name);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function numberOf(name: string): number | undefined {
  if (!NUMBER.test(name)) return undefined;
  const number = Number(name);
  return Number.isSafeInteger(number) ? number : undefined;
}
