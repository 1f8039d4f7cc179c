/** Reading jobs: lists, counts, the nodes in use. Part of the job table. */
import type { Connection, Statement } from "./connection.ts";
import { jobColumns, type JobRecord, jobRow } from "./job_columns.ts";
import {
  assertPage,
  countSql,
  type JobCursor,
  type JobFilter,
  pageSql,
  type Sql,
} from "./job_filter.ts";
import type { JobResource, JobRow } from "./job_row.ts";

/** Statements kept; filters have many forms, few of them often. */
const STATEMENTS_MAX = 64;

export interface JobPage {
  /** At most `PAGE_MAX`. */
  readonly limit: number;
  readonly offset?: number;
  /** Only jobs that come after this one. */
  readonly after?: JobCursor;
  readonly withMetaData?: boolean;
}

export class JobSearch {
  readonly #connection: Connection;
  readonly #statements = new Map<string, Statement<unknown>>();
  readonly #get: Statement<JobRecord>;
  readonly #getBrief: Statement<JobRecord>;
  readonly #running: Statement<{ cluster: string; resources: string }>;

  constructor(connection: Connection) {
    this.#connection = connection;
    const select = (withMetaData: boolean) =>
      connection.prepare<JobRecord>(
        `SELECT ${jobColumns(withMetaData)} FROM job WHERE id = ?`,
      );
    this.#get = select(true);
    this.#getBrief = select(false);
    this.#running = connection.prepare(
      `SELECT cluster, resources FROM job INDEXED BY job_state
       WHERE job_state = 'running' AND start_time < ?`,
    );
  }

  get(id: number, withMetaData: boolean): JobRow | undefined {
    const record = (withMetaData ? this.#get : this.#getBrief).get(id);
    return record && jobRow(record);
  }

  list(filter: JobFilter, page: JobPage): JobRow[] {
    const { limit, offset = 0, after, withMetaData = false } = page;
    assertPage(limit, offset);
    const sql = pageSql(filter, { limit, offset, after });
    if (sql === undefined) return [];
    const jobs: JobRow[] = [];
    for (const { id } of this.#statement<{ id: number }>(sql)) {
      const job = this.get(id, withMetaData);
      // Another process may have deleted it in between.
      if (job !== undefined) jobs.push(job);
    }
    return jobs;
  }

  count(filter: JobFilter): number {
    const sql = countSql(filter);
    return sql === undefined
      ? 0
      : this.#statement<{ count: number }>(sql)[0]?.count ?? 0;
  }

  usedNodes(beforeSec: number): Map<string, string[]> {
    const used = new Map<string, Set<string>>();
    for (const { cluster, resources } of this.#running.all(beforeSec)) {
      const hosts = used.get(cluster) ?? new Set();
      used.set(cluster, hosts);
      for (const { hostname } of JSON.parse(resources) as JobResource[]) {
        hosts.add(hostname);
      }
    }
    return new Map(
      [...used].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([cluster, hosts]) => [cluster, [...hosts].sort()]),
    );
  }

  #statement<Row>({ text, values }: Sql): Row[] {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#connection.prepare(text);
      if (this.#statements.size >= STATEMENTS_MAX) {
        const [oldest] = this.#statements.keys();
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
      this.#statements.set(text, statement);
    }
    return (statement as Statement<Row>).all(...values);
  }
}
