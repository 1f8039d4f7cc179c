/**
 * Opens `main.db` and makes its tables. The server does it in the database worker,
 * commands in their own process; SQLite's write-ahead log lets them be side by side.
 */
import { dirname } from "node:path";
import { ArchiveQueueTable } from "./archive_queue_table.ts";
import { ClusterTable } from "./cluster_table.ts";
import { ConfigurationTable } from "./configuration_table.ts";
import { Connection } from "./connection.ts";
import type { DatabaseOptions } from "./database_options.ts";
import { InstanceTable } from "./instance_table.ts";
import { JobTable } from "./job_table.ts";
import { checkSchema, migrate, SchemaError } from "./migrations.ts";
import { NodeTable } from "./node_table.ts";
import { PolicyTable } from "./policy_table.ts";
import { TagTable } from "./tag_table.ts";
import { SessionTable } from "./session_table.ts";
import { TokenTable } from "./token_table.ts";
import { UserTable } from "./user_table.ts";

/** The database cannot be opened; the message names the file and what to do. */
export class DatabaseError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "DatabaseError";
  }
}

export class DatabaseTables {
  readonly users: UserTable;
  readonly configuration: ConfigurationTable;
  readonly clusters: ClusterTable;
  readonly instances: InstanceTable;
  readonly policies: PolicyTable;
  readonly tokens: TokenTable;
  readonly sessions: SessionTable;
  readonly tags: TagTable;
  readonly jobs: JobTable;
  readonly archiveQueue: ArchiveQueueTable;
  readonly nodes: NodeTable;

  constructor(connection: Connection) {
    this.users = new UserTable(connection);
    this.configuration = new ConfigurationTable(connection);
    this.clusters = new ClusterTable(connection);
    this.instances = new InstanceTable(connection);
    this.policies = new PolicyTable(connection);
    this.tokens = new TokenTable(connection);
    this.sessions = new SessionTable(connection);
    this.tags = new TagTable(connection);
    this.jobs = new JobTable(connection, this.tags);
    this.archiveQueue = new ArchiveQueueTable(connection, this.jobs, this.tags);
    this.nodes = new NodeTable(connection);
  }
}

export class Database implements Disposable {
  readonly tables: DatabaseTables;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.tables = new DatabaseTables(connection);
  }

  /** A number that changes when another connection has changed the database. */
  dataVersion(): number {
    return Number(this.#connection.pragma("data_version"));
  }

  /** All that `work` does with the tables, or nothing of it. */
  transaction<Result>(work: () => Result): Result {
    return this.#connection.transaction(work);
  }

  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** As many pages as lists need: the system's own cache has the file. */
const READER_CACHE_MB = 16;

/**
 * Opens a database that is open already for a second connection, which cannot write.
 * Readers of a write-ahead log wait for no writer.
 */
export function openReader(options: DatabaseOptions): Database {
  const connection = new Connection(options.path, options.busyTimeoutMs);
  const cacheMb = Math.min(READER_CACHE_MB, options.cacheSizeMb);
  connection.exec(`PRAGMA cache_size = -${cacheMb * 1024}`);
  connection.exec("PRAGMA query_only = ON");
  return new Database(connection);
}

/**
 * Opens the database and brings its schema up to date; a missing file is made,
 * readable by its owner only. Throws a {@linkcode DatabaseError}.
 */
export function openDatabase(options: DatabaseOptions): Database {
  let connection: Connection | undefined;
  try {
    makeFile(options.path);
    connection = new Connection(options.path, options.busyTimeoutMs);
    checkSchema(connection);
    configure(connection, options);
    migrate(connection);
    return new Database(connection);
  } catch (error) {
    connection?.close();
    const reason = error instanceof Error ? error.message : String(error);
    const advice = error instanceof SchemaError
      ? ""
      : "; check main.db and its rights, or restore the file from a backup";
    throw new DatabaseError(
      `the database ${options.path} cannot be opened: ${reason}${advice}`,
      error,
    );
  }
}

function makeFile(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its other files the mode of this one.
  Deno.openSync(path, { create: true, append: true, mode: 0o600 }).close();
}

function configure(connection: Connection, options: DatabaseOptions): void {
  if (connection.pragma("journal_mode = WAL") !== "wal") {
    throw new Error("its file system has no room for a write-ahead log");
  }
  // A power cut may take the last transactions, never the database.
  connection.exec("PRAGMA synchronous = NORMAL");
  connection.exec(`PRAGMA cache_size = -${options.cacheSizeMb * 1024}`);
  connection.exec(
    `PRAGMA soft_heap_limit = ${options.softHeapLimitMb * 1024 * 1024}`,
  );
}
