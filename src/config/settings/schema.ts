/**
 * The one schema of `config.json`: it validates, gives the types and is the
 * source of docs/configuration.md. Keys are those of the file; durations have
 * become seconds, sizes bytes and addresses host and port.
 */
import type { z } from "zod";
import { archiveRetention, authSection, mainSection } from "./schema_main.ts";
import { natsSection } from "./schema_nats.ts";
import {
  clustersSection,
  metricsSection,
  metricStoreSection,
} from "./schema_store.ts";
import { webSection } from "./schema_web.ts";
import {
  flag,
  ignored,
  integer,
  oneOf,
  positiveDuration,
  secretText,
  section,
  text,
} from "./values.ts";

const DEFAULT_ARCHIVE_PATH = "./var/job-archive";

/** Whether the archive's directory was chosen, and may be shared with a group. */
export function isArchiveShared({ archive }: Pick<Config, "archive">): boolean {
  return archive.path !== DEFAULT_ARCHIVE_PATH;
}

const archiveSection = section({
  kind: oneOf("file", "s3", "sqlite").default("file").describe(
    "Only `file` is served.",
  ),
  path: text().default(DEFAULT_ARCHIVE_PATH).describe(
    "Its directory. New files in another directory get that directory's group.",
  ),
  "db-path": text().optional().describe("File of kind `sqlite`."),
  endpoint: text().optional().describe("Address of kind `s3`."),
  bucket: text().optional().describe("Bucket of kind `s3`."),
  "access-key": secretText().optional().describe("Key of kind `s3`."),
  "secret-key": secretText().optional().describe("Secret of kind `s3`."),
  region: text().optional().describe("Region of kind `s3`."),
  "use-path-style": flag().optional().describe("Path style of kind `s3`."),
  compression: integer(0).default(7).describe(
    "Days after which a job's data is compressed; 0: never.",
  ),
  retention: archiveRetention.prefault({}).describe(
    "What becomes of old jobs.",
  ),
});

const cronSection = section({
  "commit-job-worker": positiveDuration().prefault("2m").describe(
    "Accepted, has no effect: jobs are stored at once.",
  ),
  "duration-worker": positiveDuration().prefault("5m").describe(
    "Time between updates of running jobs' durations.",
  ),
  "footprint-worker": positiveDuration().prefault("10m").describe(
    "Time between updates of running jobs' footprints.",
  ),
});

const prometheusSection = section({
  "query-timeout": positiveDuration().prefault("2m").describe(
    "Longest that a query in PromQL may take; a request may ask for less.",
  ),
  "max-samples": integer(1).default(50_000_000).describe(
    "Samples that a query may hold in memory at a time.",
  ),
  "max-series": integer(1).default(500_000).describe(
    "Series that one selector of a query may bring to its evaluator.",
  ),
  "max-concurrency": integer(1).default(4).describe(
    "Queries that are evaluated at a time; 512 more may wait.",
  ),
  evaluators: integer(0).default(0).describe(
    "Threads that evaluate queries; 0: one, from four processors on two.",
  ),
});

export const configSchema = section({
  main: mainSection.prefault({}).describe("The server as a whole."),
  auth: authSection.prefault({}).describe("Credentials."),
  metrics: metricsSection.prefault({}).describe(
    "The metrics of every cluster. A `cluster.json` adds what is not named here.",
  ),
  clusters: clustersSection.prefault({}).describe(
    "Clusters by name, and what differs for them.",
  ),
  "metric-store": metricStoreSection.describe("The store of samples."),
  nats: natsSection.prefault({}).describe("Connection to a NATS broker."),
  archive: archiveSection.prefault({}).describe("The job archive."),
  prometheus: prometheusSection.prefault({}).describe(
    "Queries in PromQL by the Prometheus API.",
  ),
  web: webSection.prefault({}).describe("The pages that people look at."),
  cron: cronSection.prefault({}).describe("Background work of the job API."),
  "metric-store-external": ignored().optional().describe("Not served."),
  ui: ignored().optional().describe("Not served."),
}).superRefine(({ main, "metric-store": store }, context) => {
  // Two readers of a durable would share its messages.
  const subjects = main["api-subjects"];
  if (subjects === undefined) return;
  const read = new Set(
    store["nats-subscriptions"].map(({ stream, durable }) =>
      `${stream} ${durable}`
    ),
  );
  for (const what of ["job-event", "node-state"] as const) {
    const stream = subjects[`stream-${what}`];
    if (stream === "") continue;
    if (!read.has(`${stream} ${subjects[`durable-${what}`]}`)) continue;
    context.addIssue({
      code: "custom",
      path: ["main", "api-subjects", `durable-${what}`],
      message: "a durable that no subscription of metric-store reads",
    });
  }
});

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
  : T;

/** A valid configuration, frozen. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;

/** The names of sections. */
export const SECTIONS: readonly string[] = Object.keys(configSchema.shape);
