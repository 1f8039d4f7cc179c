/** When each cluster was first known, by a configuration or by a stored sample. */
import { nowRfc3339 } from "../base/clock.ts";
import type { Connection, Statement } from "./connection.ts";

export interface ClusterRow {
  readonly name: string;
  readonly createdAt: string;
}

export class ClusterTable {
  readonly #connection: Connection;
  readonly #insert: Statement<never>;
  readonly #list: Statement<ClusterRow>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.prepare(
      "INSERT INTO cluster (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
    this.#list = connection.prepare(
      "SELECT name, created_at AS createdAt FROM cluster ORDER BY name",
    );
  }

  /** Notes that clusters are known now; for those known before nothing changes. */
  note(names: readonly string[], createdAt: string = nowRfc3339()): void {
    this.#connection.transaction(() => {
      for (const name of names) this.#insert.run(name, createdAt);
    });
  }

  /** By name. */
  list(): ClusterRow[] {
    return this.#list.all().map((row) => ({ ...row }));
  }
}
