/** Jobs begin, end, are listed and deleted (job-api 2.4 to 2.6, 2.11, 2.12). Main thread. */
import type { JobServices } from "../lifecycle/services.ts";
import { messageSchema } from "../../admin/accounts/user_routes.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { JOB_STATES } from "../../db/job_row.ts";
import { inSlices, OMIT_TAGGED } from "../../db/job_slices.ts";
import { jobPages } from "../../db/job_pages.ts";
import { SAFE_INTEGER } from "../../http/route.ts";
import { shownJob } from "./answers.ts";
import {
  clustersOf,
  JOB_ID,
  pathNumber,
  requireAllClusters,
} from "../lifecycle/job_access.ts";
import { deleteJobSchema, stopJobSchema } from "../lifecycle/job_requests.ts";
import {
  jobListSchema,
  jobSchema,
  usedNodesSchema,
} from "../lifecycle/job_schemas.ts";
import { startJob, stopJob } from "../lifecycle/lifecycle.ts";
import { writtenList } from "./list_answer.ts";
import { parseListQuery } from "./list_query.ts";
import { decodeRequest } from "../lifecycle/request_json.ts";
import { startJobSchema } from "../lifecycle/start_job_request.ts";

async function start(services: JobServices, call: ApiCall): Promise<ApiAnswer> {
  const { principal, body } = call;
  await startJob(services, principal, body, nowSecOf(call));
  return json(201, { msg: "success" });
}

async function stop(services: JobServices, call: ApiCall): Promise<ApiAnswer> {
  const { principal, body } = call;
  const job = await stopJob(services, principal, body, nowSecOf(call));
  return json(200, shownJob(call, job));
}

function nowSecOf({ nowMs }: ApiCall): number {
  return Math.floor(nowMs / 1000);
}

async function list(services: JobServices, call: ApiCall): Promise<ApiAnswer> {
  const { items, page, withMetadata, ...filter } = parseListQuery(call.search);
  const { jobs } = services.tables;
  const { own } = call.principal.jobView();
  const pages = jobPages(
    jobs,
    {
      ...filter,
      ...clustersOf(call.principal),
      ...(own ? { visibleTo: own } : {}),
    },
    {
      // No table has so many jobs that this were another page than an empty one.
      offset: Math.min((page - 1) * items, Number.MAX_SAFE_INTEGER),
      limit: items,
      withMetaData: withMetadata,
    },
  );
  return await writtenList(services, call, pages, {
    items,
    page,
    withMetadata,
  });
}

/** Fifteen digits. */
const TIME_MAX = 1e15 - 1;

async function usedNodes(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const text = call.search.get("ts");
  if (text === null || !/^[+-]?\d{1,15}$/.test(text)) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `ts: a Unix time in seconds is needed, got ${
        text === null ? "none" : JSON.stringify(text.slice(0, 40))
      }`,
    );
  }
  const nodes = await services.tables.jobs.usedNodes(Number(text));
  const { clusters } = call.principal.jobView();
  const entries = [...nodes].filter(([cluster]) =>
    clusters === undefined || clusters.has(cluster)
  );
  return json(200, { usedNodes: Object.fromEntries(entries) });
}

async function deleteById(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const id = pathNumber(call, "id");
  const { clusters } = clustersOf(call.principal);
  const { jobs } = services.tables;
  const job = clusters === undefined ? undefined : await jobs.get(id);
  if (clusters === undefined || (job && clusters.includes(job.cluster))) {
    await jobs.delete(id);
  }
  return json(200, { msg: `Successfully deleted job ${id}` });
}

async function deleteByKey(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const key = decodeRequest(deleteJobSchema, call.body);
  call.audit(`job ${key.jobId} of ${key.cluster ?? "any cluster"}`);
  const { jobs } = services.tables;
  const id = await jobs.deleteByKey({ ...key, ...clustersOf(call.principal) });
  if (id === undefined) {
    throw new ClientError(
      "E_UNPROCESSABLE",
      `jobId: there is no job ${key.jobId}`,
    );
  }
  return json(200, { msg: `Successfully deleted job ${id}` });
}

async function deleteBefore(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const beforeSec = pathNumber(call, "ts");
  const word = call.search.get("omit-tagged") ?? "none";
  const omitTagged = OMIT_TAGGED.find((known) => known === word);
  if (omitTagged === undefined) {
    throw new ClientError(
      "E_BAD_REQUEST",
      `omit-tagged: one of ${OMIT_TAGGED.join(", ")} is expected, got ${
        JSON.stringify(word.slice(0, 40))
      }`,
    );
  }
  requireAllClusters(call, "delete_job_before");
  const { jobs } = services.tables;
  const count = await inSlices((after) =>
    jobs.deleteBefore(beforeSec, omitTagged, after)
  );
  return json(200, { msg: `Successfully deleted ${count} jobs` });
}

const FROM_ONE = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

const LIST: Omit<ApiOperation, "id" | "handle"> = {
  summary: "List jobs, the newest first",
  parameters: [
    {
      name: "state",
      type: "string",
      rules: { enum: JOB_STATES },
      repeated: true,
      description: "Only jobs in one of these states.",
    },
    {
      name: "job-id",
      type: "integer",
      rules: { minimum: 0 },
      repeated: true,
      description: "Only jobs with one of these ids of the batch system.",
    },
    { name: "cluster", type: "string", description: "Only of this cluster." },
    { name: "project", type: "string", description: "Only of this project." },
    {
      name: "start-time",
      type: "string",
      rules: { pattern: "^([0-9]{1,15}-[0-9]{1,15})?$" },
      description: "`<from>-<to>`, Unix seconds, both included.",
    },
    {
      name: "items-per-page",
      type: "integer",
      rules: FROM_ONE,
      description: "Jobs on a page, 25 unless given.",
    },
    {
      name: "page",
      type: "integer",
      rules: FROM_ONE,
      description: "1 unless given.",
    },
    {
      name: "with-metadata",
      type: "string",
      description: "Also their metadata; `false` and `0` mean no.",
    },
  ],
  answer: { type: JSON_TYPE, schema: jobListSchema },
  scope: "jobs:read",
};

const START = {
  summary: "A job has started",
  body: {
    type: JSON_TYPE,
    schema: startJobSchema.meta({ id: "StartJob" }),
    required: true,
  },
  answer: { type: JSON_TYPE, schema: messageSchema },
  status: 201,
  errors: { 422: "The job is known already." },
  scope: "jobs:write",
} as const;

const STOP = {
  summary: "A job has ended; it will be archived",
  description: "`pending` and Slurm's `requeued`, `requeue_hold`, " +
    "`special_exit` and `revoked` end the run as `preempted`; the next run of " +
    "the job is a job of its own.",
  body: {
    type: JSON_TYPE,
    schema: stopJobSchema.meta({ id: "StopJob" }),
    required: true,
  },
  answer: { type: JSON_TYPE, schema: jobSchema },
  errors: {
    404: "There is no such job.",
    422: "It does not run any more, or goes on in the given state.",
  },
  scope: "jobs:write",
} as const;

const DELETE = {
  answer: { type: JSON_TYPE, schema: messageSchema },
  scope: "jobs:write",
  audited: true,
} as const;

export function jobRoutes(services: JobServices): readonly ApiRoute[] {
  const bind = bindTo(services);
  return [
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/start_job",
      name: "start-job",
      when: () => services.startsByHttp,
      operations: {
        POST: { id: "startJob", ...START, handle: bind(start) },
        PUT: { id: "startJobByPut", ...START, handle: bind(start) },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/stop_job",
      name: "stop-job",
      when: () => services.startsByHttp,
      operations: {
        POST: { id: "stopJob", ...STOP, handle: bind(stop) },
        PUT: { id: "stopJobByPut", ...STOP, handle: bind(stop) },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs",
      name: "jobs",
      operations: { GET: { id: "jobs", ...LIST, handle: bind(list) } },
    },
    {
      kind: "api",
      group: "userapi",
      path: "/userapi/jobs",
      name: "user-jobs",
      operations: { GET: { id: "userJobs", ...LIST, handle: bind(list) } },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/used_nodes",
      name: "used-nodes",
      operations: {
        GET: {
          id: "usedNodes",
          summary: "Nodes of running jobs",
          parameters: [{
            name: "ts",
            type: "integer",
            rules: { minimum: -TIME_MAX, maximum: TIME_MAX },
            required: true,
            description: "Only jobs that started before, Unix seconds.",
          }],
          answer: { type: JSON_TYPE, schema: usedNodesSchema },
          scope: "jobs:read",
          handle: bind(usedNodes),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/delete_job",
      name: "delete-job-by-key",
      operations: {
        DELETE: {
          id: "deleteJobByKey",
          summary: "Delete a job from the database; the archive keeps it",
          body: {
            type: JSON_TYPE,
            schema: deleteJobSchema.meta({ id: "JobKey" }),
            required: true,
          },
          errors: { 422: "There is no such job." },
          ...DELETE,
          handle: bind(deleteByKey),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/delete_job/:id",
      name: "delete-job",
      operations: {
        DELETE: {
          id: "deleteJob",
          summary: "Delete a job from the database; the archive keeps it",
          parameters: [JOB_ID],
          ...DELETE,
          handle: bind(deleteById),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/delete_job_before/:ts",
      name: "delete-jobs-before",
      operations: {
        DELETE: {
          id: "deleteJobsBefore",
          summary:
            "Delete all jobs that started before a time from the database",
          parameters: [
            {
              name: "ts",
              in: "path",
              type: "integer",
              rules: SAFE_INTEGER,
              description: "Unix time in seconds.",
            },
            {
              name: "omit-tagged",
              type: "string",
              rules: { enum: OMIT_TAGGED },
              description:
                "`all`: tagged jobs stay; `user`: those tagged by people stay.",
            },
          ],
          ...DELETE,
          handle: bind(deleteBefore),
        },
      },
    },
  ];
}
