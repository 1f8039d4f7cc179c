/**
 * What the admin API takes and answers, as schemas: requests are checked by them,
 * and the API document is made of them. `created_at` in a request is ignored.
 */
import { z } from "zod";
import { POLICY_SCOPES } from "../../base/policy_scopes.ts";
import { canonicalTime } from "./timestamps.ts";

const DISPLAY_CHARS_MAX = 256;

const name = z.string().regex(
  /^[a-z0-9_-]{3,64}$/,
  "expected 3 to 64 characters of a-z, 0-9, - and _",
);

const displayName = z.string().max(
  DISPLAY_CHARS_MAX,
  `at most ${DISPLAY_CHARS_MAX} characters are expected`,
).refine((text) => text.isWellFormed(), "expected whole characters")
  .describe("For people. Absent on creation: the name.");

const ignored = z.unknown().optional().describe("Ignored.");

const time = z.string().meta({ format: "date-time" });

/** A moment in a request, brought into the form that is kept. */
const moment = z.string().transform((text, context) => {
  const canonical = canonicalTime(text);
  if (canonical !== undefined) return canonical;
  context.addIssue({
    code: "custom",
    message: "expected a time as in 2030-12-31T23:59:59Z",
  });
  return z.NEVER;
}).meta({ format: "date-time" });

/** The year of the time that clients in Go send where none was ever set. */
const GO_ZERO_YEAR = "0001-";

const expiration = moment.nullable().transform((time) =>
  time?.startsWith(GO_ZERO_YEAR) ? null : time
).optional().describe(
  "From then on nothing is allowed; absent, null or a time of the year 1: " +
    "never.",
);

const settableStatus = z.enum(["active", "inactive"]);

/** What is new is active; a model that was read may say so. */
const newStatus = z.literal("active").optional();

/** A list with the type the source text gives it. */
function listOf(id: string, type: string, item: z.ZodType) {
  return z.object({ items: z.array(item), type: z.literal(type) }).meta({ id });
}

export const clusterSchema = z.object({
  name: z.string(),
  display_name: z.string(),
  created_at: time.describe("When the store first knew it."),
  kind: z.literal("cortex"),
  base_url: z.string(),
}).meta({ id: "Cluster" });

export const clusterListSchema = listOf(
  "ClusterList",
  "cluster",
  clusterSchema,
);

const limit = z.int().min(0, "expected 0 or more");

const limitsSchema = z.strictObject({
  max_series: limit.optional().describe(
    "Series in memory; 0: no limit. A new instance that names none has 2000000.",
  ),
  ingestion_rate: limit.optional().describe(
    "Samples a second; 0: no limit.",
  ),
  max_query_samples: limit.optional().describe(
    "Samples one query may read; 0: no limit.",
  ),
}).meta({ id: "InstanceLimits" });

export const instanceSchema = z.object({
  name: z.string(),
  display_name: z.string(),
  created_at: time,
  status: z.enum(["active", "inactive", "unknown"]).describe(
    "`unknown`: its cluster is not configured and has no data.",
  ),
  cluster: z.string(),
  limits: limitsSchema.optional(),
}).meta({ id: "Instance" });

export const instanceListSchema = listOf(
  "InstanceList",
  "instance",
  instanceSchema,
);

export const newInstanceSchema = z.strictObject({
  name,
  display_name: displayName.optional(),
  created_at: ignored,
  status: newStatus,
  cluster: z.string(),
  limits: limitsSchema.optional(),
}).meta({ id: "NewInstance" });

export const instanceChangeSchema = z.strictObject({
  name: z.string().optional(),
  display_name: displayName.optional(),
  created_at: ignored,
  status: z.enum(["active", "inactive", "unknown"]).optional(),
  cluster: z.string().optional(),
  limits: limitsSchema.optional().describe("Limits that are absent stay."),
}).describe("What is absent stays. Name and cluster cannot change.")
  .meta({ id: "InstanceChange" });

const LABELS = [
  "__name__",
  "cluster",
  "hostname",
  "type",
  "type-id",
  "stype",
  "stype-id",
] as const;

const LABEL_BY_ALIAS = {
  metric: "__name__",
  host: "hostname",
  type_id: "type-id",
  stype_id: "stype-id",
} as const;

const matcherSchema = z.strictObject({
  type: z.enum(["EQ", "NEQ", "RE", "NRE"]),
  name: z.enum(LABELS),
  value: z.string(),
}).meta({ id: "LabelMatcher" });

type Label = typeof LABELS[number];

const newMatcherSchema = z.strictObject({
  type: z.enum(["EQ", "NEQ", "NE", "RE", "NRE"])
    .transform((type) => type === "NE" ? "NEQ" : type)
    .describe("`NE` is kept as `NEQ`."),
  name: z.enum([
    ...LABELS,
    ...Object.keys(LABEL_BY_ALIAS) as (keyof typeof LABEL_BY_ALIAS)[],
  ]).transform((label): Label =>
    label in LABEL_BY_ALIAS
      ? LABEL_BY_ALIAS[label as keyof typeof LABEL_BY_ALIAS]
      : label as Label
  ).describe("A label that a series does not have equals the empty text."),
  value: z.string().max(1024, "at most 1024 characters are expected").refine(
    (text) => text.isWellFormed(),
    "expected whole characters",
  ).describe(
    "For `RE` and `NRE` a pattern in the syntax of RE2, anchored at both ends.",
  ),
}).meta({ id: "NewLabelMatcher" });

const SELECTORS_MAX = 100;
const SELECTOR_MATCHERS_MAX = 20;
const REALMS_MAX = 100;

/** At most so many things in a list, and at least one where it says so. */
function some<Item extends z.ZodType>(item: Item, max: number, min: 0 | 1 = 1) {
  const list = z.array(item).max(max, `at most ${max} are expected`);
  return min === 0 ? list : list.min(1, "at least one is expected");
}

const realmSchema = z.object({
  instance: z.string(),
  cluster: z.string(),
  label_policies: z.array(z.object({ selector: z.array(matcherSchema) }))
    .optional(),
}).meta({ id: "Realm" });

export const newRealmSchema = z.strictObject({
  instance: z.string().describe(
    "A name; `*`: every instance of the cluster and its default instance; " +
      "empty: the default instance.",
  ),
  cluster: z.string().describe("A name, or `*`."),
  label_policies: some(
    z.strictObject({ selector: some(newMatcherSchema, SELECTOR_MATCHERS_MAX) }),
    SELECTORS_MAX,
    0,
  ).optional().describe(
    "Within a selector all matchers must hold, of several selectors one " +
      "suffices; none: everything.",
  ),
}).meta({ id: "NewRealm" });

const scope = z.enum(POLICY_SCOPES);

export const policySchema = z.object({
  name: z.string(),
  display_name: z.string(),
  created_at: time,
  status: settableStatus,
  realms: z.array(realmSchema),
  scopes: z.array(scope),
  expiration: time.optional(),
}).meta({ id: "AccessPolicy" });

export const policyListSchema = listOf(
  "AccessPolicyList",
  "key",
  policySchema,
);

const realms = some(newRealmSchema, REALMS_MAX);
const scopes = some(scope, POLICY_SCOPES.length * 2).describe(
  "`admin` implies the others.",
);

export const newPolicySchema = z.strictObject({
  name,
  display_name: displayName.optional(),
  created_at: ignored,
  status: newStatus,
  realms,
  scopes,
  expiration,
}).meta({ id: "NewAccessPolicy" });

export const policyChangeSchema = z.strictObject({
  name: z.string().optional(),
  display_name: displayName.optional(),
  created_at: ignored,
  status: settableStatus.optional(),
  realms: realms.optional(),
  scopes: scopes.optional(),
  expiration,
}).describe("What is absent stays. The name cannot change.")
  .meta({ id: "AccessPolicyChange" });

const tokenMembers = {
  name: z.string(),
  display_name: z.string(),
  created_at: time,
  status: z.literal("inactive").optional().describe(
    "Only where the token was deleted.",
  ),
  expiration: time.optional(),
  access_policy: z.string(),
};

export const tokenSchema = z.object(tokenMembers).meta({ id: "Token" });

export const tokenListSchema = listOf("TokenList", "key", tokenSchema);

export const madeTokenSchema = z.object({
  ...tokenMembers,
  token: z.string().describe("The secret. It is shown here and never again."),
}).meta({ id: "MadeToken" });

export const newTokenSchema = z.strictObject({
  name,
  display_name: displayName.optional(),
  created_at: ignored,
  expiration,
  access_policy: z.string(),
}).meta({ id: "NewToken" });

export const licenceClaimsSchema = z.object({
  jti: z.string(),
  iss: z.string(),
  sub: z.string(),
  iat: z.int(),
  exp: z.int(),
  nbf: z.int(),
  lexp: z.int(),
  lid: z.string(),
  max_users: z.int(),
  included_admins: z.int(),
  included_viewers: z.int(),
  lic_exp_warn_days: z.int(),
  prod: z.array(z.string()),
  company: z.string(),
  slug: z.string(),
}).meta({ id: "LicenseClaims" });

export const licenceSchema = z.object({
  name: z.string(),
  display_name: z.string(),
  created_at: time,
  token: licenceClaimsSchema.describe("What the file says, unverified."),
}).meta({ id: "License" });

export const licenceListSchema = listOf(
  "LicenseList",
  "license",
  licenceSchema,
);
