/**
 * The main thread's end of the database workers: the tables, with methods
 * that return promises. Main thread only.
 *
 * One worker writes, and reads the rows that a change needs: it answers calls in the
 * order in which they are made. Another worker, whose connection cannot write, answers
 * the reads of people ({@linkcode READS}), so that these never stand before a change,
 * nor wait for one, or for another process that keeps the database. A read that begins
 * after a change was answered sees the change.
 */
import type { DatabaseTables } from "./database.ts";
import type { MethodNames } from "./database_calls.ts";
import type { DatabaseOptions } from "./database_options.ts";
import { DatabaseWorkerClient } from "./database_worker_client.ts";

/** The methods of a table, as seen from another thread. */
export type Remote<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends
    (...args: infer Args) => infer Result ? (...args: Args) => Promise<Result>
    : never;
};

/** Methods that the reading worker answers. */
const READS: {
  readonly [Entity in keyof DatabaseTables]: readonly (
    keyof DatabaseTables[Entity]
  )[];
} = {
  users: ["get", "list", "names"],
  configuration: ["get"],
  clusters: ["list"],
  instances: ["get", "list"],
  policies: ["get", "list"],
  tokens: ["get", "list"],
  sessions: [],
  tags: ["forJobs", "all"],
  jobs: ["get", "list", "count", "usedNodes", "find", "listed"],
  archiveQueue: [],
  nodes: ["latest", "latestOf"],
};

export type RemoteTables = {
  readonly [Entity in keyof DatabaseTables]: Remote<DatabaseTables[Entity]>;
};

/**
 * The tables of the database worker. Every method may reject with a `ClientError`: the
 * error that the table threw, 503 `E_OVERLOAD` beyond `CALLS_MAX` calls, 503
 * `E_STORAGE` when the database is gone or its disk is, `E_INTERNAL` for a fault of
 * ours.
 */
export interface DatabaseClient extends RemoteTables {
  /**
   * Adds a callback. It is called soon after another process has changed the database,
   * never for changes of this process.
   */
  changed(callback: () => void): void;
  /** Looks now whether that is so; resolves when the callback was called, or not. */
  look(): Promise<void>;
  /** Ends the worker when everything asked so far is done. */
  close(): Promise<void>;
}

/**
 * Starts the workers and opens the database in them. Rejects if it cannot be opened;
 * the message says why and what to do. `onLost` is called if a worker dies later.
 */
export async function openDatabaseWorker(
  options: DatabaseOptions,
  onLost: (reason: string) => void,
): Promise<DatabaseClient> {
  const writer = startWorker("database", onLost);
  const methods = await writer.open(options, "write");
  const reader = startWorker("database-reader", onLost);
  try {
    await reader.open(options, "read");
  } catch (error) {
    await writer.close();
    throw error;
  }
  const callbacks: (() => void)[] = [];
  writer.onChanged = () => callbacks.forEach((callback) => callback());
  return {
    ...remoteTables(methods, writer, reader),
    changed: (callback) => {
      callbacks.push(callback);
    },
    look: () => writer.look(),
    async close() {
      await Promise.all([writer.close(), reader.close()]);
    },
  };
}

function startWorker(
  name: string,
  onLost: (reason: string) => void,
): DatabaseWorkerClient {
  const worker = new Worker(
    new URL("../../workers/database.ts", import.meta.url),
    { type: "module", name },
  );
  return new DatabaseWorkerClient(worker, onLost);
}

/**
 * Makes a function of each method that the workers named; the types come from the
 * tables.
 */
function remoteTables(
  methods: MethodNames,
  writer: DatabaseWorkerClient,
  reader: DatabaseWorkerClient,
): RemoteTables {
  const tables = Object.entries(methods).map(([entity, names]) => {
    const reads: readonly string[] = READS[entity as keyof DatabaseTables];
    return [
      entity,
      Object.fromEntries(
        names.map((name) => {
          const worker = reads.includes(name) ? reader : writer;
          return [
            name,
            (...args: readonly unknown[]) => worker.call(entity, name, args),
          ];
        }),
      ),
    ];
  });
  return Object.fromEntries(tables) as unknown as RemoteTables;
}
