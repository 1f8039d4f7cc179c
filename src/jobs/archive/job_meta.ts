/**
 * `meta.json` of a job. Writing follows the published schema: keys with nothing to say
 * are left out, nothing is null. Reading is lenient, since files go back many years: a
 * value that is missing or of another type becomes the empty value, unknown keys are
 * passed over. Only the names of the job, its state and its hosts are required. Pure.
 */
import type { Unit } from "../../config/clusters/cluster.ts";
import {
  JOB_STATES,
  type JobResource,
  type JobRow,
  type JobState,
  type MonitoringStatus,
  type NamedNumbers,
  SHARED_KINDS,
  type SharedKind,
  type TagKey,
} from "../../db/job_row.ts";
import {
  given,
  type JobStatistics,
  type JobStatisticsByMetric,
} from "../data/job_answer.ts";
import {
  type JobNumber,
  jsonNumber,
  parseExact,
  stringifyExact,
} from "../../base/job_number.ts";
import type { JobPlace } from "./archive_layout.ts";

export interface JobMeta {
  /** As known when it was archived; `id` is 0 where the file has none. */
  readonly job: JobRow;
  readonly tags: readonly TagKey[];
  readonly statistics: JobStatisticsByMetric;
  /** The state as the file has it; `job.jobState` is its present name. */
  readonly formerState?: string;
}

/** States of older files, and of jobs that were archived before they had ended. */
const FORMER_STATES: Readonly<Record<string, JobState>> = {
  stopped: "cancelled",
  canceled: "cancelled",
  // A job in an archive runs no more; how it ended is unknown.
  running: "failed",
  // As a stop with that word is stored: it was queued again.
  pending: "preempted",
  suspended: "failed",
};

/** The changes of an edit; absent values stay. */
export interface MetaEdit {
  /** All tags the job has now. */
  readonly tags?: readonly TagKey[];
  /** Entries to set, beside those the file has. */
  readonly metaData?: Readonly<Record<string, string>>;
}

/** The text of `meta.json`. */
export function writeJobMeta({ job, tags, statistics }: JobMeta): string {
  return JSON.stringify({
    cluster: job.cluster,
    subCluster: job.subCluster,
    ...given("partition", job.partition),
    project: job.project,
    user: job.user,
    shared: job.shared,
    jobState: job.jobState,
    ...(tags.length === 0 ? {} : { tags: tags.map(writtenTag) }),
    resources: job.resources,
    ...unlessNull("energyFootprint", job.energyFootprint),
    ...unlessNull("footprint", job.footprint),
    ...unlessNull("metaData", job.metaData),
    energy: job.energy,
    ...(job.arrayJobId === 0 ? {} : { arrayJobId: jsonNumber(job.arrayJobId) }),
    ...given("walltime", job.walltime),
    ...given("requestedMemory", job.requestedMemory),
    jobId: jsonNumber(job.jobId),
    duration: job.duration,
    ...given("smt", job.smt),
    monitoringStatus: job.monitoringStatus,
    ...given("numAcc", job.numAcc),
    ...given("numHwthreads", job.numHwthreads),
    numNodes: job.numNodes,
    statistics,
    ...given("id", job.id),
    ...given("submitTime", job.submitTime),
    startTime: job.startTime,
  });
}

/**
 * The text of a `meta.json` after an edit. Keys this server does not know stay.
 * Throws a `SyntaxError` if the old text is no JSON object.
 */
export function editJobMeta(text: string, edit: MetaEdit): string {
  const { ...meta } = objectOf(parseExact(text), "the file");
  if (edit.tags !== undefined) {
    if (edit.tags.length === 0) delete meta["tags"];
    else meta["tags"] = edit.tags.map(writtenTag);
  }
  if (edit.metaData !== undefined) {
    const old = recordOf(meta["metaData"]);
    meta["metaData"] = { ...old, ...edit.metaData };
  }
  return stringifyExact(meta);
}

function writtenTag({ type, name, scope }: TagKey): TagKey {
  return { type, name, scope };
}

function unlessNull(key: string, value: unknown): Record<string, unknown> {
  return value === null ? {} : { [key]: value };
}

/**
 * The job of a `meta.json`, parsed by `parseExact`, that lies where `place` says. Throws a
 * `SyntaxError` naming the key if it is not usable.
 */
export function readJobMeta(json: unknown, place: JobPlace): JobMeta {
  const meta = objectOf(json, "the file");
  for (const key of ["cluster", "jobId", "startTime"] as const) {
    if (meta[key] !== place[key]) {
      throw new SyntaxError(
        `${key}: ${stringifyExact(meta[key])} does not belong where it lies`,
      );
    }
  }
  return {
    job: { ...place, ...restOfJob(meta, place) },
    tags: tagsOf(meta["tags"]),
    statistics: statisticsOf(meta["statistics"]),
    ...given("formerState", formerStateOf(meta["jobState"])),
  };
}

/**
 * Where the job of a `meta.json`, parsed likewise, belongs, for files that lie elsewhere.
 * Throws a `SyntaxError` if it does not say.
 */
export function placeOf(json: unknown): JobPlace {
  const { cluster, jobId, startTime } = objectOf(json, "the file");
  if (typeof cluster !== "string" || cluster === "") {
    throw new SyntaxError("cluster: expected a name");
  }
  for (const [key, value] of Object.entries({ jobId, startTime })) {
    if (key === "jobId" ? idOf(value) <= 0 : integerOf(value) <= 0) {
      throw new SyntaxError(`${key}: expected an integer above 0`);
    }
  }
  return {
    cluster,
    jobId: idOf(jobId),
    startTime: integerOf(startTime),
  };
}

type Meta = Readonly<Record<string, unknown>>;

function restOfJob(
  meta: Meta,
  place: JobPlace,
): Omit<JobRow, keyof JobPlace> {
  const resources = resourcesOf(meta["resources"]);
  const stopTime = integerOf(meta["stopTime"]);
  return {
    id: integerOf(meta["id"]),
    subCluster: textOf(meta["subCluster"]),
    user: textOf(meta["user"]),
    project: textOf(meta["project"]),
    partition: textOf(meta["partition"]),
    jobState: stateOf(meta["jobState"]),
    shared: sharedOf(meta),
    monitoringStatus: monitoringStatusOf(meta["monitoringStatus"]),
    submitTime: integerOf(meta["submitTime"]),
    duration: integerOf(meta["duration"]) ||
      Math.max(0, stopTime - place.startTime),
    walltime: integerOf(meta["walltime"]),
    arrayJobId: idOf(meta["arrayJobId"]),
    numNodes: integerOf(meta["numNodes"]) || resources.length,
    numHwthreads: integerOf(meta["numHwthreads"]),
    numAcc: integerOf(meta["numAcc"]),
    smt: integerOf(meta["smt"]),
    requestedMemory: integerOf(meta["requestedMemory"]),
    energy: numberOf(meta["energy"]),
    energyFootprint: numbersOf(meta["energyFootprint"]),
    footprint: numbersOf(meta["footprint"]),
    resources,
    metaData: textsOf(meta["metaData"]),
  };
}

function stateOf(json: unknown): JobState {
  return FORMER_STATES[formerStateOf(json)] ??
    oneOf(JOB_STATES, json, "jobState");
}

/** `""`: the word is one of today. */
function formerStateOf(json: unknown): string {
  return typeof json === "string" && Object.hasOwn(FORMER_STATES, json)
    ? json
    : "";
}

function monitoringStatusOf(json: unknown): MonitoringStatus {
  return json === 0 || json === 2 || json === 3 ? json : 1;
}

/** Before `shared` there was `exclusive`: 0 many users, 1 alone, 2 one user. */
function sharedOf(meta: Meta): SharedKind {
  const { shared, exclusive } = meta;
  if (shared !== undefined && shared !== null && shared !== "") {
    return oneOf(SHARED_KINDS, shared, "shared");
  }
  if (exclusive === 0) return "multi_user";
  return exclusive === 2 ? "single_user" : "none";
}

function resourcesOf(json: unknown): JobResource[] {
  if (!Array.isArray(json)) throw new SyntaxError("resources: expected a list");
  return json.map((item, i) => {
    const { hostname, configuration, hwthreads, accelerators } = objectOf(
      item,
      `resources.${i}`,
    );
    if (typeof hostname !== "string" || hostname === "") {
      throw new SyntaxError(`resources.${i}.hostname: expected a name`);
    }
    const threads = listOf(hwthreads).filter((one): one is number =>
      Number.isSafeInteger(one)
    );
    const ids = listOf(accelerators).map(String);
    return {
      hostname,
      ...given("configuration", textOf(configuration)),
      ...(threads.length === 0 ? {} : { hwthreads: threads }),
      ...(ids.length === 0 ? {} : { accelerators: ids }),
    };
  });
}

function tagsOf(json: unknown): TagKey[] {
  return listOf(json).flatMap((item) => {
    const { type, name, scope } = recordOf(item);
    return typeof type === "string" && typeof name === "string"
      ? [{ type, name, scope: textOf(scope) || "global" }]
      : [];
  });
}

/** Without entries of another shape, such as the list of file systems. */
function statisticsOf(json: unknown): JobStatisticsByMetric {
  const entries = Object.entries(recordOf(json)).flatMap(
    ([metric, value]): [string, JobStatistics][] => {
      const { unit, avg, min, max } = recordOf(value);
      return typeof avg === "number" || typeof max === "number"
        ? [[metric, {
          unit: unitOf(unit),
          avg: numberOf(avg),
          min: numberOf(min),
          max: numberOf(max),
        }]]
        : [];
    },
  );
  return Object.fromEntries(entries);
}

/** Old files have the unit as one text. */
function unitOf(json: unknown): Unit {
  if (typeof json === "string") return { base: json };
  const { base, prefix } = recordOf(json);
  return { base: textOf(base), ...given("prefix", textOf(prefix)) };
}

function numbersOf(json: unknown): NamedNumbers | null {
  if (!isRecord(json)) return null;
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, number] =>
      typeof entry[1] === "number"
    ),
  );
}

function textsOf(json: unknown): Record<string, string> | null {
  if (!isRecord(json)) return null;
  return Object.fromEntries(
    Object.entries(json).filter(([, value]) => value !== null)
      .map(([key, value]) => [
        key,
        typeof value === "string" ? value : stringifyExact(value),
      ]),
  );
}

function oneOf<Word extends string>(
  words: readonly Word[],
  json: unknown,
  key: string,
): Word {
  const word = words.find((one) => one === json);
  if (word !== undefined) return word;
  throw new SyntaxError(`${key}: ${stringifyExact(json)} is unknown`);
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function recordOf(json: unknown): Record<string, unknown> {
  return isRecord(json) ? json : {};
}

function objectOf(json: unknown, what: string): Record<string, unknown> {
  if (isRecord(json)) return json;
  throw new SyntaxError(`${what}: expected an object`);
}

function listOf(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? json : [];
}

function textOf(json: unknown): string {
  return typeof json === "string" ? json : "";
}

function numberOf(json: unknown): number {
  return typeof json === "number" ? json : 0;
}

function integerOf(json: unknown): number {
  return typeof json === "number" && Number.isSafeInteger(json) ? json : 0;
}

/** An integer of 64 bits, as `parseExact` gives it. */
function idOf(json: unknown): JobNumber {
  return typeof json === "bigint" ? json : integerOf(json);
}
