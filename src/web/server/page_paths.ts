/**
 * Which page is behind a path (web 2), and where paths lead whose page is not there
 * yet or that ClusterCockpit has (web 15.3). Pure.
 */

import { FILTER_KEYS } from "../shared/job_filter_url.ts";

/** The meaning of a path below `/monitoring`: a page, another address, or nothing. */
export type PagePath =
  | { readonly kind: "page" }
  | { readonly kind: "leads-to"; readonly target: string }
  | { readonly kind: "unknown" };

const JOBS = "/monitoring/jobs/";
const PAGE: PagePath = { kind: "page" };
const UNKNOWN: PagePath = { kind: "unknown" };

/**
 * `path` has no slash at the end and is percent-encoded. Addresses in the list of jobs
 * keep the filter of the parameters, beside that of the path, which wins.
 */
export function pageOf(path: string, search: URLSearchParams): PagePath {
  const [, top, view = "", ...rest] = path.split("/");
  if (top !== "monitoring") return UNKNOWN;
  const names: string[] = [];
  for (const part of rest) {
    const name = decoded(part);
    if (name === undefined || name === "") return UNKNOWN;
    names.push(name);
  }
  const [first = "", second = ""] = names;
  const toJobs = (filter: Readonly<Record<string, string>>): PagePath => ({
    kind: "leads-to",
    target: withFilter(search, filter),
  });
  switch (`${view}/${names.length}`) {
    case "jobs/0":
    case "settings/0":
      return PAGE;
    case "job/1":
      return /^\d{1,16}$/.test(first) ? PAGE : UNKNOWN;
    case "users/0":
    case "projects/0":
    case "tags/0":
      return toJobs({});
    case "user/1":
      return toJobs({ user: first, userMatch: "eq" });
    case "project/1":
      return toJobs({ project: first, projectMatch: "eq" });
    case "analysis/1":
      return toJobs({ cluster: first });
    case "status/1":
    case "dashboard/1":
    case "systems/1":
      return toJobs({ cluster: first, state: "running" });
    case "status/2":
      return first === "detail"
        ? toJobs({ cluster: second, state: "running" })
        : UNKNOWN;
    case "systems/2":
      return first === "list"
        ? toJobs({ cluster: second, state: "running" })
        : UNKNOWN;
    case "systems/3":
      return first === "list"
        ? toJobs({
          cluster: second,
          subCluster: names[2] ?? "",
          state: "running",
        })
        : UNKNOWN;
    case "node/2":
      return toJobs({ cluster: first, node: second });
    default:
      return UNKNOWN;
  }
}

/** The list of jobs by one filter. */
export function jobsPath(filter: readonly (readonly [string, string])[]) {
  const search = new URLSearchParams(filter.map(([key, value]) => [key, value]))
    .toString();
  return search === "" ? JOBS : `${JOBS}?${search}`;
}

function withFilter(
  search: URLSearchParams,
  filter: Readonly<Record<string, string>>,
): string {
  const kept = [...search].filter(([key]) =>
    FILTER_KEYS.has(key) && !Object.hasOwn(filter, key)
  );
  return jobsPath([...Object.entries(filter), ...kept]);
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
