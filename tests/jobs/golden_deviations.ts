/**
 * Where we answer the recorded requests of the job API differently on purpose:
 * by file and number of the step, with who asks for it (job-api O7: row of its
 * section 11) and the differences that this allows.
 */

export interface Deviation {
  readonly reason: string;
  /** Every difference found must match. */
  readonly differs: RegExp;
}

type Deviations = Readonly<Record<number, Deviation>>;

/** The same deviation at several steps. */
function at(
  steps: readonly number[],
  reason: string,
  differs: RegExp,
): Deviations {
  return Object.fromEntries(steps.map((step) => [step, { reason, differs }]));
}

const NO_FIRST_ID = "job-api O22: a node has no id, a socket has its own";
const WRITE_ROLES =
  "settled 46: api writes only beside no other role, so that people write no metrics";
const METRIC_ROLES =
  "settled 46: the roles of the metric routes; admin frees and debugs, others 403";
const NO_JOB_WITHOUT_START = "job-api 3.1: the job of step 20 has no startTime";

export const DEVIATIONS: Readonly<Record<string, Deviations>> = {
  lifecycle: {
    ...at([5], "job-api O18: one check, 422", /^status 422, recorded 500$/),
    ...at(
      [17],
      "job-api 3.2: `shared` is checked",
      /^status 400, recorded 500$/,
    ),
    ...at(
      [20],
      "job-api 3.1: startTime 0 is 400",
      /^status 400, recorded 201$/,
    ),
    ...at(
      [33, 34, 35, 42, 48],
      NO_JOB_WITHOUT_START,
      /^\.jobs: (6 items, recorded 7|5 items, recorded 6)$/,
    ),
    ...at(
      [42],
      "job-api O7, and the job of step 20",
      /^\.jobs: 6 items, recorded 7$/,
    ),
    ...at([58], "job-api O10: an api token sees it", /^\.(data|error): /),
    ...at([76], NO_JOB_WITHOUT_START, /^\.usedNodes\.fritz: missing$/),
  },
  "tags-metadata": {
    ...at(
      [6],
      "job-api 7.2: a tag sent without a scope is global, and the answer says so",
      /^\.tags\[\d+\]\.scope: "global", recorded ""$/,
    ),
    ...at([5], "job-api O11: idempotent", /^status 200, recorded 500$/),
    ...at(
      [9],
      "job-api 7.2: a foreign scope is 403",
      /^status 403, recorded 500$/,
    ),
    ...at([49], "job-api O10: an api token sees it", /^\.(data|error): /),
  },
  "users-config": {
    ...at(
      [19],
      "job-api 2.14: without users whose only role is `user`",
      /^: 4 items, recorded 5$/,
    ),
    ...at(
      [32],
      "job-api 9.3: the role must be known",
      /^status 400, recorded 200$/,
    ),
    ...at(
      [20, 26],
      "job-api 10: without a user name the token is one's own",
      /^status 200, recorded 40[34]$/,
    ),
    ...at([47], "job-api 9.3: the user of step 32", /^: 6 items, recorded 8$/),
    ...at([51], "job-api 1.7: the cookie ends as it began", /^cookie /),
  },
  "nodes-store": {
    ...at([13, 14], METRIC_ROLES, /^status 403, recorded 400$/),
    ...at([15], METRIC_ROLES, /^status 403, recorded 401$/),
    ...at([19, 20, 25, 29, 30, 31, 35], NO_FIRST_ID, /\.id: missing$/),
    ...at([21], NO_FIRST_ID, /\.id: "1", recorded "36"$/),
    ...at([22], "job-api O42: answered", /^\.(data|error): /),
  },
  archived: at(
    [2, 3, 6],
    "job-api 4.1: the median is over values, not over nulls",
    /\.statisticsSeries\.median\[\d+\]: /,
  ),
  "auth-matrix": {
    ...at(
      [26],
      "settled 47: the table has what the recorded tokens say",
      /^\[\d\]\.roles: 2 items, recorded 1$/,
    ),
    ...at([39], METRIC_ROLES, /^status 200, recorded 401$/),
    ...at([41, 42, 43], WRITE_ROLES, /^status 403, recorded 200$/),
    ...at([44], WRITE_ROLES, /^status 403, recorded 401$/),
    ...at([40, 45], METRIC_ROLES, /^status 403, recorded 401$/),
    ...at([49, 53, 54, 55], METRIC_ROLES, /^status 403, recorded 400$/),
    ...at([51], METRIC_ROLES, /^status 400, recorded 401$/),
    ...at([52, 56, 57], METRIC_ROLES, /^status 403, recorded 401$/),
    ...at([61, 65, 66, 67], METRIC_ROLES, /^status 403, recorded 200$/),
    ...at([63], METRIC_ROLES, /^status 200, recorded 401$/),
    ...at([64, 68, 69], METRIC_ROLES, /^status 403, recorded 401$/),
  },
};
