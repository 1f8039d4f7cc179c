/** The tables of a database in memory, behind the interface of the database worker. */
import { Connection } from "../../src/db/connection.ts";
import { DatabaseTables } from "../../src/db/database.ts";
import { localTable } from "../../src/db/local_table.ts";
import { migrate } from "../../src/db/migrations.ts";
import type { RemoteTables } from "../../src/db/remote.ts";

export function memoryTables(): RemoteTables {
  const connection = new Connection(":memory:", 0);
  migrate(connection);
  const tables = Object.entries(new DatabaseTables(connection));
  return Object.fromEntries(
    tables.map(([entity, table]) => [entity, localTable(table)]),
  ) as unknown as RemoteTables;
}
