/** How a row of the table `job` and a {@linkcode JobRow} are made of each other. */
import { type JobNumber, jobNumber } from "../base/job_number.ts";
import type { SqlValue } from "./connection.ts";
import type { JobRow, NewJob } from "./job_row.ts";

/** Columns that are selected as they are, in the order of the table. */
const PLAIN = {
  jobId: "job_id",
  cluster: "cluster",
  subCluster: "subcluster",
  startTime: "start_time",
  submitTime: "submit_time",
  user: "hpc_user",
  project: "project",
  partition: "cluster_partition",
  arrayJobId: "array_job_id",
  duration: "duration",
  walltime: "walltime",
  jobState: "job_state",
  numNodes: "num_nodes",
  numHwthreads: "num_hwthreads",
  numAcc: "num_acc",
  smt: "smt",
  shared: "shared",
  monitoringStatus: "monitoring_status",
  requestedMemory: "requested_memory",
  energy: "energy",
} as const satisfies Partial<Record<keyof NewJob, string>>;

/** Integers of 64 bits among them. */
const LONG = ["jobId", "arrayJobId"] as const satisfies (keyof typeof PLAIN)[];

type LongKey = typeof LONG[number];

const JSON_TEXT = {
  energyFootprint: "energy_footprint",
  footprint: "footprint",
  resources: "resources",
  metaData: "meta_data",
} as const satisfies Omit<Record<keyof NewJob, string>, keyof typeof PLAIN>;

type JsonKey = keyof typeof JSON_TEXT;

/** A row as it is selected: with JSON texts, and long integers as their digits. */
export type JobRecord =
  & Omit<JobRow, JsonKey | LongKey>
  & { readonly [Key in JsonKey]: string | null }
  & { readonly [Key in LongKey]: number | string };

const COLUMNS = Object.entries({ ...PLAIN, ...JSON_TEXT });

/**
 * Returns the columns to select for {@linkcode jobRow}. Meta data can be long, so lists
 * do without.
 */
export function jobColumns(withMetaData: boolean, table = ""): string {
  const selected = COLUMNS.map(([key, column]) =>
    key === "metaData" && !withMetaData
      ? "NULL AS metaData"
      : LONG.some((long) => long === key)
      ? longColumn(column, key)
      : `${table}${column} AS ${key}`
  );
  return [`${table}id`, ...selected].join(", ");
}

/** Selects an integer, or its digits where a double would round it. */
export function longColumn(column: string, name: string): string {
  return `CASE WHEN ${column} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}
    THEN ${column} ELSE CAST(${column} AS TEXT) END AS ${name}`;
}

/** Reads a value that {@linkcode longColumn} has selected. */
export function longInteger(value: number | string): JobNumber {
  return typeof value === "number" ? value : jobNumber(BigInt(value));
}

/** Turns a record of the table into a job. */
export function jobRow(record: JobRecord): JobRow {
  return {
    ...record,
    jobId: longInteger(record.jobId),
    arrayJobId: longInteger(record.arrayJobId),
    energyFootprint: decode(record.energyFootprint),
    footprint: decode(record.footprint),
    resources: decode(record.resources) ?? [],
    metaData: decode(record.metaData),
  };
}

/** The names and marks of an INSERT that {@linkcode jobValues} go into. */
export const INSERT_COLUMNS = `(${
  COLUMNS.map(([, column]) => column).join(", ")
}) VALUES (${COLUMNS.map(() => "?").join(", ")})`;

/** Returns the values of a job in the order of {@linkcode INSERT_COLUMNS}. */
export function jobValues(job: NewJob): SqlValue[] {
  return [
    ...(Object.keys(PLAIN) as (keyof typeof PLAIN)[]).map((key) => job[key]),
    ...(Object.keys(JSON_TEXT) as JsonKey[]).map((key) => encode(job[key])),
  ];
}

/** Returns a value as the JSON text of a column; null stays null. */
export function encode(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** Only this program writes these columns, in the shape that the row has. */
function decode<Value>(text: string | null): Value | null {
  return text === null ? null : JSON.parse(text);
}
