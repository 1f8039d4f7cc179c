/**
 * The answer of a job list, made page by page while it is sent: clients ask for ten
 * million jobs at once and mean "all". A page is read when it is its answer's turn, and
 * counts as in memory until the client has taken it. Main thread.
 */
import type { JobRow } from "../../db/job_row.ts";
import {
  type ApiAnswer,
  type ApiCall,
  JSON_TYPE,
} from "../../http/api_route.ts";
import type { BodyStream } from "../../http/body_stream.ts";
import type { JobServices } from "../lifecycle/services.ts";
import { archivedStatistics, shownJob } from "./answers.ts";

/** Bytes that are handed over at a time, so that they show how fast a client reads. */
const PIECE_BYTES = 64 << 10;
const ENCODER = new TextEncoder();

type ListServices = Pick<JobServices, "reads" | "tables" | "archive" | "log">;

export interface ListParts {
  readonly items: number;
  readonly page: number;
  readonly withMetadata: boolean;
}

/** Reads the first page, so that a failure at once is told with a status. */
export async function writtenList(
  services: ListServices,
  call: ApiCall,
  pages: AsyncGenerator<readonly JobRow[], void>,
  { items, page, withMetadata }: ListParts,
): Promise<ApiAnswer> {
  const { principal } = call;
  const reading = services.reads.open(principal.shareKey);
  const close = () => {
    reading.close();
    // Ends when the page that is being read is there.
    void pages.return().catch(() => {});
  };
  /** `undefined`: that was the last. */
  const next = () =>
    reading.turn(async () => {
      const { value: jobs, done } = await pages.next();
      if (done) return undefined;
      const answers = await shownPage(services, call, jobs, withMetadata);
      return ENCODER.encode(answers.join(","));
    }, (text) => text?.byteLength ?? 0);

  async function* pieces(
    first: Uint8Array | undefined,
  ): AsyncGenerator<Uint8Array, void> {
    let before = '{"jobs":[';
    for (let text = first; text !== undefined; text = await next()) {
      yield ENCODER.encode(before);
      before = ",";
      for (let at = 0; at < text.byteLength; at += PIECE_BYTES) {
        yield text.subarray(at, at + PIECE_BYTES);
      }
    }
    const end = `],"items":${items},"page":${page}}\n`;
    yield ENCODER.encode(before === "," ? end : before + end);
  }

  try {
    const body: BodyStream = { pieces: pieces(await next()), close };
    const headers = { "Content-Type": JSON_TYPE };
    return { status: 200, headers, body };
  } catch (error) {
    close();
    throw error;
  }
}

async function shownPage(
  services: ListServices,
  call: ApiCall,
  jobs: readonly JobRow[],
  withMetaData: boolean,
): Promise<string[]> {
  const { principal } = call;
  const [tags, statistics] = await Promise.all([
    services.tables.tags.forJobs(jobs.map(({ id }) => id)),
    archivedStatistics(services, principal, jobs),
  ]);
  return jobs.map((job) =>
    JSON.stringify(shownJob(call, job, {
      tags: tags.get(job.id) ?? [],
      withMetaData,
      statistics: statistics.get(job.id) ?? null,
    }))
  );
}
