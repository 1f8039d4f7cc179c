/** The permissions of an access policy. The words stand in the database and on the wire. */

/** `admin` implies the others. */
export const POLICY_SCOPES = [
  "metrics:read",
  "metrics:write",
  "metrics:delete",
  "jobs:read",
  "jobs:write",
  "admin",
] as const;
export type PolicyScope = typeof POLICY_SCOPES[number];
