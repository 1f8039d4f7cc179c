/** Which jobs a request may read and change. Main thread. */
import type { Principal } from "../../access/mod.ts";
import type { JobView } from "../../access/principal.ts";
import type { JobRow } from "../../db/job_row.ts";
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import { ClientError, type ErrorCode } from "../../base/errors.ts";
import type { ApiCall } from "../../http/api_route.ts";
import type { JobServices } from "./services.ts";
import { type Parameter, SAFE_INTEGER } from "../../http/route.ts";

/** A row of the database, as a part of the path. */
export const JOB_ID: Parameter = {
  name: "id",
  in: "path",
  type: "integer",
  rules: SAFE_INTEGER,
  description: "Of the database, not of the batch system.",
};

/** Returns whether a job is visible in this view (job-api 1.2). */
export function isVisible(
  view: JobView,
  job: Pick<JobRow, "cluster" | "user" | "project">,
): boolean {
  if (view.clusters !== undefined && !view.clusters.has(job.cluster)) {
    return false;
  }
  const { own } = view;
  return own === undefined || own.user === job.user ||
    own.projects.includes(job.project);
}

/**
 * The number in the path. Throws `E_BAD_REQUEST`, and `E_NOT_FOUND` for a word with
 * a slash behind it, which is no path of ours.
 */
export function pathNumber(call: ApiCall, name: string): number {
  const word = call.params[name] ?? "";
  const number = /^[+-]?\d+$/.test(word) ? Number(word) : NaN;
  if (Number.isSafeInteger(number)) return number;
  if (call.path.endsWith("/")) {
    throw new ClientError(
      "E_NOT_FOUND",
      "the requested endpoint does not exist",
    );
  }
  throw new ClientError(
    "E_BAD_REQUEST",
    `${name}: an integer is expected in the path, got ${
      JSON.stringify(word.slice(0, 60))
    }`,
  );
}

/** The job of the path's `id`; `missing` is the code for one that is not to be seen. */
export async function requireJob(
  { tables }: Pick<JobServices, "tables">,
  call: ApiCall,
  missing: ErrorCode,
): Promise<JobRow> {
  const id = pathNumber(call, "id");
  const job = await tables.jobs.get(id);
  if (job !== undefined && isVisible(call.principal.jobView(), job)) return job;
  throw new ClientError(missing, `there is no job with database id ${id}`);
}

/** Clusters that a key may be looked up in; absent: all. */
export function clustersOf(
  principal: Principal,
): { readonly clusters?: readonly string[] } {
  const { clusters } = principal.jobView();
  return clusters === undefined ? {} : { clusters: [...clusters] };
}

/** Throws `E_FORBIDDEN` where `what` would reach into clusters of others. */
export function requireAllClusters(
  { principal }: Pick<ApiCall, "principal">,
  what: string,
): void {
  if (principal.jobView().clusters === undefined) return;
  throw new ClientError("E_FORBIDDEN", `${what} needs a realm of all clusters`);
}

/** Throws `E_FORBIDDEN` where jobs may be read, but not their metrics. */
export function metricScope(principal: Principal): DataScope {
  const scope = principal.jobMetrics();
  if (scope !== undefined) return scope;
  throw new ClientError(
    "E_FORBIDDEN",
    "the metrics of jobs need scope metrics:read",
  );
}
