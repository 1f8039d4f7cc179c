/** Where the words lead that somebody types into the search (`/search`, web 2). Pure. */
import { parseJobNumber } from "../../base/job_number.ts";
import { jobsPath } from "./page_paths.ts";

/** Users that a full name may mean. */
const USERS_MAX = 50;
const CHARS_MAX = 200;

export interface SearchedUser {
  readonly username: string;
  readonly name: string;
}

/**
 * The page for `text`: `jobId:`, `jobName:`, `projectId:`, `arrayJobId:`, `username:`
 * or `name:` and what is searched for; without such a word a number is the id of a job
 * and all else part of the name of one.
 *
 * @param users those whom the searcher may know
 */
export function searchTarget(
  text: string,
  users: readonly SearchedUser[],
): string {
  const words = text.trim().slice(0, CHARS_MAX);
  if (words === "") return jobsPath([]);
  const match = /^(\w+):\s*(.*)$/s.exec(words);
  const [, kind = "", value = ""] = match ?? [];
  switch (kind) {
    case "jobId":
      return jobsPath([["jobId", value]]);
    case "jobName":
      return jobsPath([["jobName", value]]);
    case "projectId":
      return jobsPath([["project", value], ["projectMatch", "contains"]]);
    case "arrayJobId":
      return jobsPath([["arrayJobId", value]]);
    case "username":
      return jobsPath([["user", value], ["userMatch", "contains"]]);
    case "name":
      return jobsPath(usersNamed(value, users));
    default:
      return parseJobNumber(words) === undefined
        ? jobsPath([["jobName", words]])
        : jobsPath([["jobId", words]]);
  }
}

/** A list of users; of an unknown name a list that nobody is in. */
function usersNamed(
  name: string,
  users: readonly SearchedUser[],
): [string, string][] {
  const wanted = name.toLowerCase();
  const found = users.filter((user) => user.name.toLowerCase().includes(wanted))
    .slice(0, USERS_MAX).map(({ username }): [string, string] => [
      "user",
      username,
    ]);
  return [
    ...found.length === 0 ? [["user", name] as [string, string]] : found,
    [
      "userMatch",
      "in",
    ],
  ];
}
