/**
 * The answer of a job list, written page by page: clients ask for ten million jobs at
 * once and mean "all". Main thread; other work gets its turn between pages.
 */
import type { JobRow } from "../db/job_row.ts";
import type { JsonBody } from "../engine/metric_engine.ts";
import { ClientError } from "../errors.ts";
import type { ApiAnswer, ApiCall } from "../http/api_route.ts";
import { archivedStatistics, shownJob } from "./answers.ts";

/** Larger answers nobody reads; about 300,000 jobs. */
const ANSWER_BYTES_MAX = 256 << 20;
const ENCODER = new TextEncoder();

export interface ListParts {
  readonly items: number;
  readonly page: number;
  readonly withMetadata: boolean;
}

/** Rejects with `E_UNPROCESSABLE` where the answer would be too large. */
export async function writtenList(
  call: ApiCall,
  pages: AsyncIterable<readonly JobRow[]>,
  { items, page, withMetadata }: ListParts,
): Promise<ApiAnswer> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  const write = (text: string) => {
    const bytes = ENCODER.encode(text);
    chunks.push(bytes);
    byteLength += bytes.byteLength;
  };
  write('{"jobs":[');
  let isFirst = true;
  for await (const jobs of pages) {
    if (jobs.length === 0) continue;
    const answers = await shownPage(call, jobs, withMetadata);
    write((isFirst ? "" : ",") + answers.join(","));
    isFirst = false;
    if (byteLength > ANSWER_BYTES_MAX) {
      throw new ClientError(
        "E_UNPROCESSABLE",
        `items-per-page: the answer would be larger than ${ANSWER_BYTES_MAX} bytes, ask for fewer jobs`,
      );
    }
  }
  write(`],"items":${items},"page":${page}}\n`);
  const body: JsonBody = { chunks, byteLength };
  return { status: 200, headers: { "Content-Type": "application/json" }, body };
}

async function shownPage(
  call: ApiCall,
  jobs: readonly JobRow[],
  withMetaData: boolean,
): Promise<string[]> {
  const { services, principal } = call;
  const [tags, statistics] = await Promise.all([
    services.jobs.tables.tags.forJobs(jobs.map(({ id }) => id)),
    archivedStatistics(services.jobs, principal, jobs),
  ]);
  return jobs.map((job) =>
    JSON.stringify(shownJob(call, job, {
      tags: tags.get(job.id) ?? [],
      withMetaData,
      statistics: statistics.get(job.id) ?? null,
    }))
  );
}
