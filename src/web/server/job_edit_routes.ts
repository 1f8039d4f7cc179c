/** Tags and notes of jobs, as pages change them (web R16, R17). Main thread. */
import { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import type { JobRow, TagKey } from "../../db/job_row.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { checkSchema, parseJson } from "../../http/body/json_text.ts";
import {
  rewriteArchives,
  rewriteMeta,
  rewriteTags,
} from "../../jobs/api/tag_routes.ts";
import {
  JOB_ID,
  pathNumber,
  requireJob,
} from "../../jobs/lifecycle/job_access.ts";
import { mayWriteTag, visibleTags } from "../../jobs/lifecycle/tag_rules.ts";
import type { TagAnswer, TagsAnswer } from "../shared/answers.ts";
import type { PageServices } from "./services.ts";

const NAME_CHARS_MAX = 255;
const TAGS_MAX = 100;

const tagSchema = z.strictObject({
  type: z.string().min(1).max(NAME_CHARS_MAX),
  name: z.string().min(1).max(NAME_CHARS_MAX),
  scope: z.string().min(1).max(NAME_CHARS_MAX).describe(
    "`global`, `admin`, or one's own name.",
  ),
});

const tagsBodySchema = z.array(tagSchema).min(1).max(TAGS_MAX)
  .meta({ id: "WebTags" });

const metaSchema = z.strictObject({
  key: z.string().min(1).max(NAME_CHARS_MAX),
  value: z.string().max(64 << 10),
}).meta({ id: "WebMetaEntry" });

const tagListSchema = z.object({
  tags: z.array(z.looseObject({ id: z.int(), jobs: z.int() })),
}).meta({ id: "WebTagList" });

const jobTagsSchema = z.object({
  tags: z.array(z.looseObject({ id: z.int() })),
}).meta({ id: "WebJobTags" });

const metaDataSchema = z.object({
  metaData: z.record(z.string(), z.string()),
}).meta({ id: "WebMetaData" });

async function listTags(
  { jobs: { tables } }: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { own } = call.principal.jobView();
  const tags = await tables.tags.all(own);
  const answer: TagsAnswer = { tags: visibleTags(call.principal, tags) };
  return json(200, answer, { "Cache-Control": "no-store" });
}

/** The tags of the body. Throws `E_FORBIDDEN` for a scope that is not the caller's. */
function writableTags(call: ApiCall): TagKey[] {
  const tags = checkSchema(tagsBodySchema, parseJson(call.body));
  const foreign = tags.find(({ scope }) => !mayWriteTag(call.principal, scope));
  if (foreign === undefined) return tags;
  throw new ClientError(
    "E_FORBIDDEN",
    `scope: ${
      JSON.stringify(foreign.scope.slice(0, 60))
    } is not yours to write`,
  );
}

/** The job and the tags that a change names, for the audit as well. */
async function askedTags(
  { jobs }: PageServices,
  call: ApiCall,
): Promise<{ job: JobRow; tags: TagKey[] }> {
  const job = await requireJob(jobs, call, "E_NOT_FOUND");
  const tags = writableTags(call);
  call.audit(`job ${job.jobId} tags ${namesOf(tags)}`);
  return { job, tags };
}

async function addTags(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { job, tags } = await askedTags(services, call);
  const attached = await services.jobs.tables.tags.attach(job.id, tags);
  if (attached === undefined) {
    throw new ClientError("E_NOT_FOUND", "the job was deleted just now");
  }
  return await shownTags(services, call, job);
}

async function removeTags(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const { job, tags } = await askedTags(services, call);
  const unknown = await services.jobs.tables.tags.detach(job.id, tags);
  if (unknown.length > 0) {
    throw new ClientError("E_NOT_FOUND", `there is no tag ${namesOf(unknown)}`);
  }
  return await shownTags(services, call, job);
}

async function shownTags(
  { jobs }: PageServices,
  call: ApiCall,
  job: JobRow,
): Promise<ApiAnswer> {
  const all = await rewriteTags(jobs, job);
  const tags: TagAnswer[] = visibleTags(call.principal, all);
  return json(200, { tags });
}

function namesOf(tags: readonly TagKey[]): string {
  return tags.map(({ type, name, scope }) => `${type}:${name}@${scope}`)
    .join(", ").slice(0, 1000);
}

async function deleteTag(
  { jobs }: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  if (!call.principal.has("admin")) {
    throw new ClientError("E_FORBIDDEN", "deleting a tag needs the role admin");
  }
  const id = pathNumber(call, "id");
  const tags = await jobs.tables.tags.all();
  const tag = visibleTags(call.principal, tags).find((one) => one.id === id);
  if (tag === undefined) {
    throw new ClientError("E_NOT_FOUND", `there is no tag ${id}`);
  }
  call.audit(`tags ${namesOf([tag])}`);
  const { stoppedJobs } = await jobs.tables.tags.remove([tag]);
  rewriteArchives(jobs, stoppedJobs);
  return json(200, { jobs: tag.jobs });
}

/** Metadata are what the batch system says, and the note of the staff. */
async function setMeta(
  { jobs }: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  if (!call.principal.has("admin")) {
    throw new ClientError(
      "E_FORBIDDEN",
      "notes and metadata of jobs need the role admin",
    );
  }
  const job = await requireJob(jobs, call, "E_NOT_FOUND");
  const { key, value } = checkSchema(metaSchema, parseJson(call.body));
  call.audit(`job ${job.jobId} metadata ${key.slice(0, 60)}`);
  const changed = await jobs.tables.jobs.updateMetadata(job.id, key, value);
  if (changed === undefined) {
    throw new ClientError("E_NOT_FOUND", "the job was deleted just now");
  }
  await rewriteMeta(jobs, job, { metaData: { [key]: value } });
  return json(200, { metaData: changed.metaData ?? {} });
}

const NO_JOB = { 404: "There is no such job, or it is not yours to see." };
const TAGS_BODY = {
  type: JSON_TYPE,
  schema: tagsBodySchema,
  example: [{ type: "app", name: "solver", scope: "global" }],
  required: true,
} as const;

export function jobEditRoutes(services: PageServices): readonly ApiRoute[] {
  const bound = bindTo(services);
  return [
    {
      kind: "api",
      group: "web",
      path: "/web/api/tags",
      name: "web-tags",
      operations: {
        GET: {
          id: "webTags",
          summary: "All tags, with how many jobs have them",
          answer: { type: JSON_TYPE, schema: tagListSchema },
          handle: bound(listTags),
        },
      },
    },
    {
      kind: "api",
      group: "web",
      path: "/web/api/tags/:id",
      name: "web-tag",
      operations: {
        DELETE: {
          id: "webDeleteTag",
          summary: "Delete a tag, from every job that has it",
          answer: { type: JSON_TYPE },
          errors: { 404: "There is no such tag." },
          audited: true,
          handle: bound(deleteTag),
        },
      },
    },
    {
      kind: "api",
      group: "web",
      path: "/web/api/jobs/:id/tags",
      name: "web-job-tags",
      operations: {
        POST: {
          id: "webAddTags",
          summary: "Put tags on a job",
          parameters: [JOB_ID],
          body: TAGS_BODY,
          answer: { type: JSON_TYPE, schema: jobTagsSchema },
          errors: NO_JOB,
          audited: true,
          handle: bound(addTags),
        },
        DELETE: {
          id: "webRemoveTags",
          summary: "Take tags off a job",
          parameters: [JOB_ID],
          body: TAGS_BODY,
          answer: { type: JSON_TYPE, schema: jobTagsSchema },
          errors: NO_JOB,
          audited: true,
          handle: bound(removeTags),
        },
      },
    },
    {
      kind: "api",
      group: "web",
      path: "/web/api/jobs/:id/meta",
      name: "web-job-meta",
      operations: {
        PATCH: {
          id: "webSetMeta",
          summary: "Set an entry of a job's metadata; `message` is the note",
          parameters: [JOB_ID],
          body: {
            type: JSON_TYPE,
            schema: metaSchema,
            example: { key: "message", value: "" },
            required: true,
          },
          answer: { type: JSON_TYPE, schema: metaDataSchema },
          errors: NO_JOB,
          audited: true,
          handle: bound(setMeta),
        },
      },
    },
  ];
}
