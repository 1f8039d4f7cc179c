/** Lists of jobs and their number (web R7, R8). Main thread. */
import { z } from "zod";
import { monotonicMs } from "../../base/clock.ts";
import type { ListedJob } from "../../db/job_finder.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { visibleTags } from "../../jobs/lifecycle/tag_rules.ts";
import type {
  JobCountAnswer,
  JobRowAnswer,
  JobsAnswer,
} from "../shared/answers.ts";
import {
  type JobPageQuestion,
  parseConditions,
  parsePage,
  placeText,
} from "./job_question.ts";
import { jobRowAnswer } from "./job_row_answer.ts";
import { countJobs, findPage } from "./job_search.ts";
import { type PageServices, webServices } from "./services.ts";

function contextOf(services: PageServices, call: ApiCall) {
  return {
    principal: call.principal,
    nowSec: Math.floor(call.nowMs / 1000),
    shortJobSec: webServices(services).shortJobSec,
  };
}

function limitsOf(call: ApiCall) {
  let gone = false;
  call.whenGone(() => gone = true);
  return { isGone: () => gone };
}

async function list(services: PageServices, call: ApiCall): Promise<ApiAnswer> {
  const question = parsePage(call.search, contextOf(services, call));
  const { jobs } = services.jobs.tables;
  const page = await findPage(jobs, question, limitsOf(call));
  const listed = await jobs.listed(page.jobs.map(({ id }) => id));
  const answer: JobsAnswer = {
    jobs: await rowAnswers(services, call, listed),
    ...places(question, page),
    users: await fullNames(services, listed),
  };
  return json(200, answer, { "Cache-Control": "no-store" });
}

/** Where the pages beside this one begin. */
function places(
  { nowSec, after, before }: JobPageQuestion,
  { jobs, hasNext, hasPrevious }: Awaited<ReturnType<typeof findPage>>,
): Pick<JobsAnswer, "next" | "previous"> {
  const first = jobs[0];
  const last = jobs.at(-1);
  const text = (job: typeof first) =>
    job === undefined
      ? placeText((after ?? before) ?? { key: 0, id: 0, nowSec })
      : placeText({ ...job, nowSec });
  return {
    ...(hasNext ? { next: text(last) } : {}),
    ...(hasPrevious ? { previous: text(first) } : {}),
  };
}

/** Jobs with their visible tags. */
export async function rowAnswers(
  services: PageServices,
  call: ApiCall,
  listed: readonly ListedJob[],
): Promise<JobRowAnswer[]> {
  const { tables, clusters } = services.jobs;
  const tags = await tables.tags.forJobs(listed.map(({ id }) => id));
  const nowSec = Math.floor(call.nowMs / 1000);
  return listed.map((job) =>
    jobRowAnswer(job, {
      clusters,
      nowSec,
      tags: visibleTags(call.principal, tags.get(job.id) ?? []),
    })
  );
}

async function fullNames(
  services: PageServices,
  listed: readonly ListedJob[],
): Promise<Record<string, string>> {
  const users = [...new Set(listed.map(({ user }) => user))];
  return Object.fromEntries(await webServices(services).fullNames(users));
}

async function count(
  services: PageServices,
  call: ApiCall,
): Promise<ApiAnswer> {
  const startMs = monotonicMs();
  const conditions = parseConditions(call.search, contextOf(services, call));
  const { jobs } = services.jobs.tables;
  const { count, exact } = await countJobs(jobs, conditions, limitsOf(call));
  const answer: JobCountAnswer = {
    count,
    exact,
    tookMs: Math.round(monotonicMs() - startMs),
  };
  return json(200, answer, { "Cache-Control": "no-store" });
}

const jobsSchema = z.object({
  jobs: z.array(z.looseObject({ id: z.int(), jobId: z.string() })),
  next: z.string().optional().describe("For `after`."),
  previous: z.string().optional().describe("For `before`."),
  users: z.record(z.string(), z.string()).describe("Full names."),
}).meta({ id: "WebJobs" });

const countSchema = z.object({
  count: z.int(),
  exact: z.boolean().describe("False: there are at least so many."),
  tookMs: z.int(),
}).meta({ id: "WebJobCount" });

const FILTER =
  "Besides these, the filter parameters of ClusterCockpit's pages.";

export function jobListRoutes(services: PageServices): readonly ApiRoute[] {
  const bound = bindTo(services);
  return [
    {
      kind: "api",
      group: "web",
      path: "/web/api/jobs",
      name: "web-jobs",
      operations: {
        GET: {
          id: "webJobs",
          summary: "A page of a list of jobs",
          description: FILTER,
          parameters: [
            {
              name: "sort",
              type: "string",
              description:
                "A column, or a name of the footprint; absent: startTime.",
            },
            {
              name: "order",
              type: "string",
              rules: { enum: ["asc", "desc"] },
              description: "Absent: desc.",
            },
            {
              name: "limit",
              type: "integer",
              rules: { minimum: 1, maximum: 200 },
              description: "Jobs on the page, 50 unless given.",
            },
            {
              name: "after",
              type: "string",
              description: "As `next` told it.",
            },
            {
              name: "before",
              type: "string",
              description: "As `previous` told it.",
            },
          ],
          answer: { type: JSON_TYPE, schema: jobsSchema },
          errors: {
            422: "Too many jobs would have to be sorted, or searched.",
          },
          handle: bound(list),
        },
      },
    },
    {
      kind: "api",
      group: "web",
      path: "/web/api/jobs/count",
      name: "web-job-count",
      operations: {
        GET: {
          id: "webJobCount",
          summary: "The number of jobs that a filter leaves",
          description: FILTER,
          answer: { type: JSON_TYPE, schema: countSchema },
          handle: bound(count),
        },
      },
    },
  ];
}
