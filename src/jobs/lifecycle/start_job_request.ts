/**
 * The request that starts a job (job-api 2.4 and 3.1) and its checks (3.4). Clients may
 * send every key of the job object with its zero value; those the server decides about
 * itself are accepted and dropped. Pure.
 */
import type { z } from "zod";
import type {
  JobResource,
  NewJob,
  SharedKind,
  TagKey,
} from "../../db/job_row.ts";
import { SHARED_KINDS } from "../../db/job_row.ts";
import { ClientError } from "../../base/errors.ts";
import {
  decodeRequest,
  int32,
  int64,
  listOf,
  longId,
  mapOf,
  number,
  object,
  oneOf,
  text,
} from "./request_json.ts";
import { isTooFarAhead, tooFarAhead } from "./job_times.ts";

const resource = object({
  hostname: text,
  configuration: text.optional(),
  hwthreads: listOf(int32).optional(),
  accelerators: listOf(text).optional(),
});

/** As the job object has it, so with an `id`, unlike in the routes for tags. */
const jobTag = object({
  type: text.optional(),
  name: text.optional(),
  scope: text.optional(),
  id: int64.optional(),
});

const jobLinks = object({
  items: listOf(object({ id: int64.optional(), jobId: longId().optional() }))
    .optional(),
  count: int64.optional(),
});

const jobStatistics = object({
  unit: object({ base: text.optional(), prefix: text.optional() }).optional(),
  avg: number.optional(),
  min: number.optional(),
  max: number.optional(),
});

const EXCLUSIVE_WORDS = "expected 0, 1, 2 or 3";

/** By the number of `exclusive`, as upstream's migration reads it. */
const SHARED_BY_EXCLUSIVE: readonly SharedKind[] = [
  "multi_user",
  "none",
  "single_user",
  "multi_user",
];

const MONITORING_WORDS = "expected 0, 1, 2 or 3";

export const startJobSchema = object({
  jobId: longId(1n),
  cluster: text.default(""),
  subCluster: text.default(""),
  user: text.default(""),
  project: text.default(""),
  partition: text.default(""),
  shared: oneOf(["", ...SHARED_KINDS]).default("").describe(
    "Empty: as `exclusive` says, else `none`.",
  ),
  exclusive: int32.min(0, { error: EXCLUSIVE_WORDS })
    .max(3, { error: EXCLUSIVE_WORDS }).optional().describe(
      "What `shared` was once: 0 and 3 `multi_user`, 1 `none`, 2 `single_user`.",
    ),
  jobState: text.optional().describe("Ignored: the job is running."),
  arrayJobId: longId().default(0),
  numNodes: int32.default(0),
  numHwthreads: int32.default(0),
  numAcc: int32.default(0),
  smt: int32.nonnegative({ error: "expected a number that is not negative" })
    .default(0),
  monitoringStatus: int32.min(0, { error: MONITORING_WORDS })
    .max(3, { error: MONITORING_WORDS }).default(1),
  walltime: int64.default(0).describe("Seconds."),
  requestedMemory: int64.default(0).describe("MB."),
  duration: int32.default(0).describe("Seconds."),
  submitTime: int64.default(0).describe("Unix time in seconds."),
  startTime: int64.positive({ error: "expected a Unix time in seconds" })
    .describe("Unix time in seconds."),
  resources: listOf(resource).default([]),
  tags: listOf(jobTag).default([]),
  metaData: mapOf(text).optional(),
  metadata: mapOf(text).optional().describe("As `metaData`, which wins."),
  footprint: mapOf(number).optional(),
  energy: number.default(0).describe("kWh."),
  energyFootprint: mapOf(number).optional().describe("Ignored."),
  concurrentJobs: jobLinks.optional().describe("Ignored."),
  statistics: mapOf(jobStatistics).optional().describe("Ignored."),
  id: int64.optional().describe("Ignored."),
});

/** A job that starts, and the tags it comes with. */
export interface StartJob {
  readonly job: NewJob;
  readonly tags: readonly TagKey[];
}

/** Which sub-cluster a job belongs to; throws `E_BAD_REQUEST` if to none. */
export interface ClusterLookup {
  subClusterOfJob(
    job: Pick<NewJob, "cluster" | "subCluster" | "resources">,
  ): { readonly name: string };
}

/**
 * Returns the job of a start request, its sub-cluster found. Throws `E_BAD_REQUEST` if
 * the value is not a job object or fails one of the checks.
 */
export function decodeStartJob(
  body: Uint8Array | string,
  clusters: ClusterLookup,
  nowSec: number,
): StartJob {
  const request = decodeRequest(startJobSchema, body);
  const job = checked(newJob(request), clusters);
  for (const key of ["startTime", "submitTime"] as const) {
    if (isTooFarAhead(job[key], nowSec)) throw tooFarAhead(key, job[key]);
  }
  return { job, tags: request.tags.map(tagKey) };
}

function newJob(request: z.output<typeof startJobSchema>): NewJob {
  const { shared, exclusive = 1, monitoringStatus } = request;
  return {
    jobId: request.jobId,
    cluster: request.cluster,
    subCluster: request.subCluster,
    user: request.user,
    project: request.project,
    partition: request.partition,
    jobState: "running",
    shared: shared === "" ? SHARED_BY_EXCLUSIVE[exclusive] ?? "none" : shared,
    monitoringStatus: monitoringStatus as NewJob["monitoringStatus"],
    submitTime: request.submitTime,
    startTime: request.startTime,
    duration: request.duration,
    walltime: request.walltime,
    arrayJobId: request.arrayJobId,
    numNodes: request.numNodes,
    numHwthreads: request.numHwthreads,
    numAcc: request.numAcc,
    smt: request.smt,
    requestedMemory: request.requestedMemory,
    energy: request.energy,
    energyFootprint: null,
    footprint: request.footprint ?? null,
    resources: request.resources.map(withoutEmpty),
    metaData: request.metaData ?? request.metadata ?? null,
  };
}

/** An empty list of a resource is the same as none. */
function withoutEmpty(
  { hostname, configuration, hwthreads, accelerators }: z.output<
    typeof resource
  >,
): JobResource {
  return {
    hostname,
    ...(configuration ? { configuration } : {}),
    ...(hwthreads?.length ? { hwthreads } : {}),
    ...(accelerators?.length ? { accelerators } : {}),
  };
}

function tagKey(tag: z.output<typeof jobTag>, index: number): TagKey {
  const { type = "", name = "", scope = "" } = tag;
  if (type === "" || name === "") {
    const key = type === "" ? "type" : "name";
    throw new ClientError("E_BAD_REQUEST", `tags[${index}].${key}: is empty`);
  }
  return { type, name, scope: scope === "" ? "global" : scope };
}

/** The checks in the order of job-api 3.4. */
function checked(job: NewJob, clusters: ClusterLookup): NewJob {
  const subCluster = clusters.subClusterOfJob(job).name;
  if (job.resources.length === 0) throw refused("resources", "is empty");
  if (job.user === "") throw refused("user", "is empty");
  for (const key of ["numAcc", "numHwthreads"] as const) {
    if (job[key] < 0) throw refused(key, `is negative, ${job[key]}`);
  }
  if (job.numNodes < 1) {
    throw refused("numNodes", `expected 1 or more, got ${job.numNodes}`);
  }
  if (job.resources.length !== job.numNodes) {
    throw refused(
      "numNodes",
      `is ${job.numNodes}, but there are ${job.resources.length} resources`,
    );
  }
  return { ...job, subCluster };
}

function refused(field: string, words: string): ClientError {
  return new ClientError("E_BAD_REQUEST", `${field}: ${words}`);
}
