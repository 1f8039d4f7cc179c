/**
 * Conditions on jobs that no index answers: each is checked row by row, on the rows
 * that a filter has found by its indexes. Pure.
 */
import type { JobNumber } from "../base/job_number.ts";
import type { SqlValue } from "./connection.ts";

const TEXT_COLUMNS = {
  subCluster: "subcluster",
  partition: "cluster_partition",
  project: "project",
  user: "hpc_user",
  shared: "shared",
} as const;

const NUMBER_COLUMNS = {
  numNodes: "num_nodes",
  numHwthreads: "num_hwthreads",
  numAcc: "num_acc",
  energy: "energy",
} as const;

export type TextColumn = keyof typeof TEXT_COLUMNS;
export type NumberColumn = keyof typeof NUMBER_COLUMNS;

/** Both ends belong to it. */
export interface CheckedRange {
  readonly from?: number;
  readonly to?: number;
}

/** Texts are compared without regard to the case of ASCII letters where they are contained. */
export type JobCheck =
  | {
    readonly kind: "equal";
    readonly column: TextColumn;
    readonly text: string;
  }
  | {
    readonly kind: "among";
    readonly column: TextColumn;
    readonly texts: readonly string[];
  }
  | {
    readonly kind: "contains";
    readonly column: TextColumn | "jobName";
    readonly text: string;
  }
  | {
    readonly kind: "range";
    readonly column: NumberColumn;
    readonly range: CheckedRange;
  }
  /** Seconds; a running job has run until `nowSec`. */
  | {
    readonly kind: "duration";
    readonly range: CheckedRange;
    readonly nowSec: number;
  }
  /** Whether the job has ended before it had run so long; `false`: the others. */
  | { readonly kind: "short"; readonly sec: number; readonly isShort: boolean }
  | { readonly kind: "arrayJobId"; readonly id: JobNumber }
  | { readonly kind: "jobIds"; readonly ids: readonly JobNumber[] }
  /** The tag counts only where its scope is one of these. */
  | {
    readonly kind: "tag";
    readonly id: number;
    readonly scopes: readonly string[];
  }
  | {
    readonly kind: "node";
    readonly match: "eq" | "contains";
    readonly name: string;
  }
  /** Another job than this on one of the hosts, which had not ended by `fromSec`. */
  | {
    readonly kind: "beside";
    readonly id: number;
    readonly hosts: readonly string[];
    readonly fromSec: number;
    readonly nowSec: number;
  }
  | {
    readonly kind: "footprint";
    readonly name: string;
    readonly range: CheckedRange;
  };

export interface CheckSql {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** The duration of a job at a time, which is the mark. */
export const DURATION_AT =
  "CASE WHEN job_state = 'running' THEN max(0, ? - start_time) ELSE duration END";

/** Texts and values of a condition on a row of `job`. */
export function checkSql(check: JobCheck): CheckSql {
  switch (check.kind) {
    case "equal":
      return {
        text: `${TEXT_COLUMNS[check.column]} = ?`,
        values: [check.text],
      };
    case "among":
      return {
        text: `${
          TEXT_COLUMNS[check.column]
        } IN (SELECT value FROM json_each(?))`,
        values: [JSON.stringify(check.texts)],
      };
    case "contains": {
      const value = check.column === "jobName"
        ? "meta_data ->> '$.jobName'"
        : TEXT_COLUMNS[check.column];
      return {
        text: `instr(lower(${value}), lower(?)) > 0`,
        values: [check.text],
      };
    }
    case "range":
      return rangeSql(NUMBER_COLUMNS[check.column], [], check.range);
    case "duration":
      return rangeSql(`(${DURATION_AT})`, [check.nowSec], check.range);
    case "short":
      return {
        text: "(job_state <> 'running' AND duration < ?) = ?",
        values: [check.sec, Number(check.isShort)],
      };
    case "jobIds":
      return {
        text: "job.job_id IN (SELECT value FROM json_each(?))",
        values: [`[${check.ids.join()}]`],
      };
    case "arrayJobId":
      return { text: "array_job_id = ?", values: [check.id] };
    case "tag":
      return {
        text: `EXISTS (SELECT 1 FROM job_tag JOIN tag ON tag.id = job_tag.tag_id
          WHERE job_tag.job_id = job.id AND tag.id = ?
          AND tag.scope IN (SELECT value FROM json_each(?)))`,
        values: [check.id, JSON.stringify(check.scopes)],
      };
    case "node":
      return {
        text: `EXISTS (SELECT 1 FROM json_each(job.resources)
          WHERE ${
          check.match === "eq"
            ? "value ->> '$.hostname' = ?"
            : "instr(lower(value ->> '$.hostname'), lower(?)) > 0"
        })`,
        values: [check.name],
      };
    case "beside":
      return {
        text: `job.id <> ? AND start_time + (${DURATION_AT}) > ?
          AND EXISTS (SELECT 1 FROM json_each(job.resources)
          WHERE value ->> '$.hostname' IN (SELECT value FROM json_each(?)))`,
        values: [
          check.id,
          check.nowSec,
          check.fromSec,
          JSON.stringify(check.hosts),
        ],
      };
    case "footprint":
      return rangeSql(
        "(SELECT value FROM json_each(job.footprint) WHERE key = ?)",
        [check.name],
        check.range,
      );
  }
}

/** A value that is missing is in no range. */
function rangeSql(
  value: string,
  inValue: readonly SqlValue[],
  { from, to }: CheckedRange,
): CheckSql {
  return {
    text: `${value} BETWEEN ? AND ?`,
    values: [...inValue, from ?? -Infinity, to ?? Infinity],
  };
}
