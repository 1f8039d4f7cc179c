/** Tags and metadata of jobs (job-api 2.9, 2.10, 7.2, 7.3). Main thread. */
import type { JobServices } from "../lifecycle/services.ts";
import type { JobRow, TagKey, TagRow } from "../../db/job_row.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
  text,
} from "../../http/api_route.ts";
import type { MetaEdit } from "../archive/job_meta.ts";
import { errorText } from "../../base/log.ts";
import { shownJob, tagsOf } from "./answers.ts";
import {
  clustersOf,
  JOB_ID,
  requireAllClusters,
  requireJob,
} from "../lifecycle/job_access.ts";
import {
  editMetaByKeySchema,
  editMetaSchema,
  tagsSchema,
} from "../lifecycle/job_requests.ts";
import { jobSchema } from "../lifecycle/job_schemas.ts";
import { decodeRequest } from "../lifecycle/request_json.ts";
import { mayWriteTag } from "../lifecycle/tag_rules.ts";

/** Scopes of tags that are taken off by HTTP; private ones are not. */
const REMOVABLE = new Set(["global", "admin"]);

async function addTags(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const job = await requireJob(services, call, "E_NOT_FOUND");
  const tags = decodeRequest(tagsSchema, call.body).map((tag) => ({
    ...tag,
    scope: tag.scope === "" ? "global" : tag.scope,
  }));
  requireWritable(call, tags);
  const { tables } = services;
  const attached = await tables.tags.attach(job.id, tags) ?? [];
  const all = await rewriteTags(services, job);
  // The answer includes the new tags even if the caller's role hides their scope.
  const answer = shownJob(call, job, { tags: all });
  const shown = answer.tags ?? [];
  const hidden = attached.filter((tag) =>
    !shown.some(({ id }) => id === tag.id)
  );
  const together = [...shown, ...hidden];
  return json(200, {
    ...answer,
    ...(together.length > 0 ? { tags: together } : {}),
  });
}

async function removeTags(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const job = await requireJob(services, call, "E_NOT_FOUND");
  const tags = removable(call);
  const { tables } = services;
  const unknown = await tables.tags.detach(job.id, tags);
  const left = await rewriteTags(services, job);
  if (unknown.length > 0) return unknownTags(unknown);
  return json(200, shownJob(call, job, { tags: left }));
}

async function removeTagsEverywhere(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { tables } = services;
  const all = decodeRequest(tagsSchema, call.body);
  const requested = all.length;
  const names = all.map(({ type, name, scope }) => `${type}:${name}@${scope}`);
  call.audit(`tags ${names.join(", ")}`);
  requireAllClusters(call, "deleting tags everywhere");
  const { removed, unknown, stoppedJobs } = await tables.tags.remove(
    removable(call),
  );
  rewriteArchives(services, stoppedJobs);
  if (unknown.length > 0) return unknownTags(unknown);
  return text(
    200,
    `Deleted Tags from DB: ${removed} successfull of ${requested} requested\n`,
  );
}

/** Returns the tags of the body whose scope may be removed by HTTP. */
function removable(call: ApiCall): TagKey[] {
  const tags = decodeRequest(tagsSchema, call.body)
    .filter(({ scope }) => REMOVABLE.has(scope));
  requireWritable(call, tags);
  return tags;
}

function requireWritable(call: ApiCall, tags: readonly TagKey[]): void {
  const foreign = tags.find(({ scope }) => !mayWriteTag(call.principal, scope));
  if (foreign === undefined) return;
  throw new ClientError(
    "E_FORBIDDEN",
    `scope: ${
      JSON.stringify(foreign.scope.slice(0, 60))
    } is not yours to write`,
  );
}

/** Clients of upstream know it as a 500. */
function unknownTags(tags: readonly TagKey[]): ApiAnswer {
  const names = tags.map(({ type, name, scope }) =>
    JSON.stringify(`${type}:${name}`) + ` of scope ${scope}`
  );
  return json(500, {
    status: "Internal Server Error",
    error: `there is no tag ${names.join(", ").slice(0, 1000)}`,
  });
}

/** The archive of a stopped job follows the database; gives the tags it has now. */
export async function rewriteTags(
  services: JobServices,
  job: JobRow,
): Promise<readonly TagRow[]> {
  const tags = await tagsOf(services, job);
  await rewriteMeta(services, job, { tags });
  return tags;
}

/** There may be very many; the answer does not wait for them. */
export function rewriteArchives(
  services: JobServices,
  ids: readonly number[],
): void {
  const { tables, log } = services;
  const work = async () => {
    for (const id of ids) {
      const job = await tables.jobs.get(id);
      if (job !== undefined) await rewriteTags(services, job);
    }
  };
  work().catch((error) =>
    log.err("tags in the job archive are not up to date", {
      jobs: ids.length,
      error: errorText(error),
    })
  );
}

/** The database is the truth: where there is no archive nothing is amiss. */
export async function rewriteMeta(
  services: JobServices,
  job: JobRow,
  edit: MetaEdit,
): Promise<void> {
  if (job.jobState === "running") return;
  await services.archive.editMeta(job, edit);
}

async function editMeta(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const job = await requireJob(services, call, "E_NOT_FOUND");
  const { key, value } = decodeRequest(editMetaSchema, call.body);
  return await setMeta(services, call, job, key, value);
}

async function editMetaByKey(
  services: JobServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { payload, ...key } = decodeRequest(editMetaByKeySchema, call.body);
  const { jobs } = services.tables;
  const job = await jobs.findByKey({ ...key, ...clustersOf(call.principal) });
  if (job === undefined) {
    throw new ClientError(
      "E_UNPROCESSABLE",
      `jobId: there is no job ${key.jobId}`,
    );
  }
  return await setMeta(services, call, job, payload.key, payload.value);
}

async function setMeta(
  services: JobServices,
  call: ApiCall,
  job: JobRow,
  key: string,
  value: string,
): Promise<ApiAnswer> {
  const { jobs } = services.tables;
  const changed = await jobs.updateMetadata(job.id, key, value);
  if (changed === undefined) {
    throw new ClientError("E_NOT_FOUND", "the job was deleted just now");
  }
  await rewriteMeta(services, job, { metaData: { [key]: value } });
  return json(200, shownJob(call, changed, { withMetaData: true }));
}

const TAGS_BODY = {
  type: JSON_TYPE,
  schema: tagsSchema.meta({ id: "Tags" }),
  required: true,
} as const;

const ADD_TAGS: Omit<ApiOperation, "id" | "handle"> = {
  summary: "Put tags on a job",
  parameters: [JOB_ID],
  body: TAGS_BODY,
  answer: { type: JSON_TYPE, schema: jobSchema },
  errors: { 404: "There is no such job." },
  scope: "jobs:write",
};

const EDIT_META: Omit<ApiOperation, "id" | "handle"> = {
  summary: "Set an entry of a job's metadata",
  parameters: [JOB_ID],
  body: {
    type: JSON_TYPE,
    schema: editMetaSchema.meta({ id: "MetaEntry" }),
    required: true,
  },
  answer: { type: JSON_TYPE, schema: jobSchema },
  errors: { 404: "There is no such job." },
  scope: "jobs:write",
};

export function tagRoutes(services: JobServices): readonly ApiRoute[] {
  const bind = bindTo(services);
  return [
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/tag_job/:id",
      name: "tag-job",
      operations: {
        POST: { id: "tagJob", ...ADD_TAGS, handle: bind(addTags) },
        PATCH: { id: "tagJobByPatch", ...ADD_TAGS, handle: bind(addTags) },
        DELETE: {
          id: "untagJob",
          summary: "Take tags off a job",
          description: "Only of scope `global` and `admin`; others stay.",
          parameters: [JOB_ID],
          body: TAGS_BODY,
          answer: { type: JSON_TYPE, schema: jobSchema },
          errors: {
            404: "There is no such job.",
            500: "There is no such tag.",
          },
          scope: "jobs:write",
          handle: bind(removeTags),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/tags",
      name: "tags",
      operations: {
        DELETE: {
          id: "deleteTags",
          summary: "Delete tags, from every job that has them",
          body: TAGS_BODY,
          answer: { type: "text/plain" },
          errors: { 500: "There is no such tag." },
          scope: "jobs:write",
          audited: true,
          handle: bind(removeTagsEverywhere),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/edit_meta",
      name: "edit-meta-by-key",
      operations: {
        PATCH: {
          id: "editMetaByKey",
          summary: "Set an entry of a job's metadata",
          body: {
            type: JSON_TYPE,
            schema: editMetaByKeySchema.meta({ id: "MetaEntryByKey" }),
            required: true,
          },
          answer: { type: JSON_TYPE, schema: jobSchema },
          errors: { 422: "There is no such job." },
          scope: "jobs:write",
          handle: bind(editMetaByKey),
        },
      },
    },
    {
      kind: "api",
      group: "job",
      path: "/api/jobs/edit_meta/:id",
      name: "edit-meta",
      operations: {
        PATCH: { id: "editMeta", ...EDIT_META, handle: bind(editMeta) },
        POST: { id: "editMetaByPost", ...EDIT_META, handle: bind(editMeta) },
      },
    },
  ];
}
