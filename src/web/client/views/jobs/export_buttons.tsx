/** CSV and JSON of all that is listed, page after page. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { JobRowAnswer, JobsAnswer } from "../../../shared/answers.ts";
import { type Cell, csvRow } from "../../../shared/csv.ts";
import { ApiError, getJson } from "../../api.ts";
import { Icon } from "../../icons.tsx";

const PAGE = 200;
/** More is a question for the API. */
const JOBS_MAX = 20_000;

export function ExportButtons(
  { filter, order }: { filter: URLSearchParams; order: URLSearchParams },
): JSX.Element {
  const [said, say] = useState("");
  const save = async (kind: "csv" | "json") => {
    try {
      const jobs = await allJobs(
        filter,
        order,
        (count) => say(`${count} jobs…`),
      );
      say(jobs.length >= JOBS_MAX ? `the first ${JOBS_MAX}` : "");
      const text = kind === "csv" ? csvOf(jobs) : JSON.stringify(jobs, null, 1);
      saveFile(
        `jobs.${kind}`,
        text,
        kind === "csv" ? "text/csv" : "application/json",
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(error.message);
    }
  };
  return (
    <>
      <button type="button" onClick={() => save("csv")}>
        <Icon name="download" size={16} />CSV
      </button>
      <button type="button" onClick={() => save("json")}>JSON</button>
      <span role="status" class="small muted">{said}</span>
    </>
  );
}

async function allJobs(
  filter: URLSearchParams,
  order: URLSearchParams,
  tell: (count: number) => void,
): Promise<JobRowAnswer[]> {
  const jobs: JobRowAnswer[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams(filter);
    query.set("limit", String(PAGE));
    for (const key of ["sort", "order"]) {
      const value = order.get(key);
      if (value !== null) query.set(key, value);
    }
    if (after !== undefined) query.set("after", after);
    const page = await getJson<JobsAnswer>(`jobs?${query}`);
    jobs.push(...page.jobs);
    after = page.next;
    tell(jobs.length);
  } while (after !== undefined && jobs.length < JOBS_MAX);
  return jobs;
}

const FIELDS = [
  ...["jobId", "arrayJobId", "name", "user", "project", "cluster"],
  ...["subCluster", "partition", "state", "shared", "startTime", "duration"],
  ...["walltime", "numNodes", "numHwthreads", "numAcc", "energy", "note"],
] as readonly (keyof JobRowAnswer)[];

/** One row a job; times as epoch seconds and in UTC, footprints by name. */
function csvOf(jobs: readonly JobRowAnswer[]): string {
  const prints = [
    ...new Set(
      jobs.flatMap(({ footprint }) =>
        footprint.map(({ metric, stat }) => `${metric}_${stat}`)
      ),
    ),
  ].sort();
  const head = csvRow([...FIELDS, "startTimeUtc", "tags", ...prints]);
  return head + jobs.map((job) => {
    const values = new Map<string, number>(
      job.footprint.map(({ metric, stat, value }) =>
        [`${metric}_${stat}`, value] as const
      ),
    );
    return csvRow([
      ...FIELDS.map((field) => job[field] as Cell),
      new Date(job.startTime * 1000).toISOString(),
      job.tags.map(({ type, name }) => `${type}:${name}`).join(" "),
      ...prints.map((name) => values.get(name)),
    ]);
  }).join("");
}

/** Lets the browser keep a text as a file. */
export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
