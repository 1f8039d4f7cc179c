/** A database of its own for a test; its directory vanishes with it. */
import { Connection } from "./connection.ts";
import { type Database, openDatabase } from "./database.ts";
import type { DatabaseOptions } from "./database_options.ts";

export class TemporaryDatabase implements Disposable {
  readonly directory: string;
  readonly options: DatabaseOptions;
  readonly #opened: { close(): void }[] = [];

  constructor() {
    this.directory = Deno.makeTempDirSync({ prefix: "ringstore-db-" });
    this.options = {
      path: `${this.directory}/new/job.db`,
      cacheSizeMb: 64,
      softHeapLimitMb: 0,
      busyTimeoutMs: 5000,
    };
  }

  /** Every call is a connection of its own. */
  open(): Database {
    const database = openDatabase(this.options);
    this.#opened.push(database);
    return database;
  }

  /** The SQL below another process's tables. */
  connect(): Connection {
    const connection = new Connection(this.options.path, 0);
    this.#opened.push(connection);
    return connection;
  }

  [Symbol.dispose](): void {
    for (const database of this.#opened) database.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}
