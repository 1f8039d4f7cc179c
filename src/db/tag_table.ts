/**
 * Tags and the jobs that have them. A tag is its type, name and scope. The callers
 * decide who may see or set it.
 */
import { nowSec } from "../base/clock.ts";
import type { Connection, Statement } from "./connection.ts";
import type { JobVisibility } from "./job_filter.ts";
import type { TagKey, TagRow } from "./job_row.ts";
import { isForeignKeyError } from "./sqlite_error.ts";

export interface RemovedTags {
  readonly removed: number;
  /** Those that there are not. */
  readonly unknown: readonly TagKey[];
  /** Jobs that had one of them and are not running: their archive names it still. */
  readonly stoppedJobs: readonly number[];
}

export class TagTable {
  readonly #connection: Connection;
  readonly #find: Statement<{ id: number }>;
  readonly #insert: Statement<never>;
  readonly #attach: Statement<never>;
  readonly #detach: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #forJobs: Statement<TagRow & { jobId: number }>;
  readonly #stoppedJobs: Statement<{ id: number }>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#find = connection.prepare(
      "SELECT id FROM tag WHERE type = ? AND name = ? AND scope = ?",
    );
    this.#insert = connection.prepare(
      "INSERT INTO tag (type, name, scope, inserted_at) VALUES (?, ?, ?, ?)",
    );
    this.#attach = connection.prepare(
      `INSERT INTO job_tag (job_id, tag_id, inserted_at) VALUES (?, ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#detach = connection.prepare(
      "DELETE FROM job_tag WHERE job_id = ? AND tag_id = ?",
    );
    this.#delete = connection.prepare("DELETE FROM tag WHERE id = ?");
    this.#forJobs = connection.prepare(
      `SELECT job_tag.job_id AS jobId, tag.id, tag.type, tag.name, tag.scope
       FROM json_each(?) AS wanted
       CROSS JOIN job_tag ON job_tag.job_id = wanted.value
       CROSS JOIN tag ON tag.id = job_tag.tag_id
       ORDER BY tag.type, tag.name, tag.scope`,
    );
    this.#stoppedJobs = connection.prepare(
      `SELECT job.id FROM job_tag CROSS JOIN job ON job.id = job_tag.job_id
       WHERE job_tag.tag_id = ? AND job_state <> 'running'`,
    );
  }

  /** All tags by type, name and scope, with the number of jobs that `visibleTo` sees. */
  all(visibleTo?: JobVisibility): (TagRow & { readonly jobs: number })[] {
    const visible = visibleTo === undefined ? { text: "", values: [] } : {
      text: `AND (hpc_user = ?
          OR project IN (SELECT value FROM json_each(?)))`,
      values: [visibleTo.user, JSON.stringify(visibleTo.projects)],
    };
    return this.#connection.prepare<TagRow & { jobs: number }>(
      `SELECT tag.id, type, name, scope, (
         SELECT count(*) FROM job_tag CROSS JOIN job ON job.id = job_tag.job_id
         WHERE job_tag.tag_id = tag.id ${visible.text}) AS jobs
       FROM tag ORDER BY type, name, scope`,
    ).all(...visible.values);
  }

  /** The tags of jobs, by type, name and scope; jobs without tags are absent. */
  forJobs(jobIds: readonly number[]): Map<number, TagRow[]> {
    const tags = new Map<number, TagRow[]>();
    for (const { jobId, ...tag } of this.#forJobs.all(JSON.stringify(jobIds))) {
      const list = tags.get(jobId);
      if (list === undefined) tags.set(jobId, [tag]);
      else list.push(tag);
    }
    return tags;
  }

  /**
   * Gives a job these tags, making those that there are not; tags it has stay.
   * Returns them with their ids; undefined if there is no such job.
   */
  attach(jobId: number, tags: readonly TagKey[]): TagRow[] | undefined {
    try {
      return this.#connection.transaction(() =>
        tags.map((tag) => this.#attachOne(jobId, tag))
      );
    } catch (error) {
      if (isForeignKeyError(error)) return undefined;
      throw error;
    }
  }

  /** Takes tags from a job; ones it does not have are passed over. Returns unknown ones. */
  detach(jobId: number, tags: readonly TagKey[]): TagKey[] {
    return this.#connection.transaction(() =>
      tags.filter((tag) => {
        const id = this.#idOf(tag);
        if (id !== undefined) this.#detach.run(jobId, id);
        return id === undefined;
      })
    );
  }

  /** Removes tags, and from every job. */
  remove(tags: readonly TagKey[]): RemovedTags {
    return this.#connection.transaction(() => {
      const unknown: TagKey[] = [];
      const stoppedJobs = new Set<number>();
      for (const tag of tags) {
        const tagId = this.#idOf(tag);
        if (tagId === undefined) {
          unknown.push(tag);
          continue;
        }
        for (const { id } of this.#stoppedJobs.all(tagId)) stoppedJobs.add(id);
        this.#delete.run(tagId);
      }
      const removed = tags.length - unknown.length;
      return { removed, unknown, stoppedJobs: [...stoppedJobs] };
    });
  }

  #attachOne(jobId: number, { type, name, scope }: TagKey): TagRow {
    const now = nowSec();
    const id = this.#idOf({ type, name, scope }) ??
      this.#insert.run(type, name, scope, now).lastInsertRowid;
    this.#attach.run(jobId, id, now);
    return { id, type, name, scope };
  }

  #idOf({ type, name, scope }: TagKey): number | undefined {
    return this.#find.get(type, name, scope)?.id;
  }
}
