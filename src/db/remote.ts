/**
 * The main thread's end of the line to the database worker: the tables, with methods
 * that return promises. Calls are answered in the order in which they are made, so a
 * caller reads what it wrote, without waiting in between. Main thread only.
 */
import type { DatabaseTables } from "./database.ts";
import { DatabaseLine } from "./database_line.ts";
import type { MethodNames } from "./database_messages.ts";
import type { DatabaseOptions } from "./database_options.ts";

/** The methods of a table, as seen from another thread. */
export type Remote<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends
    (...args: infer Args) => infer Result ? (...args: Args) => Promise<Result>
    : never;
};

export type RemoteTables = {
  readonly [Entity in keyof DatabaseTables]: Remote<DatabaseTables[Entity]>;
};

/**
 * The tables of the database worker. Every method may reject with a
 * `ClientError`: what the table threw, 503 `E_OVERLOAD` beyond
 * `CALLS_MAX` calls, 503 `E_STORAGE` when the database is gone or its disk
 * is, `E_INTERNAL` for a fault of ours.
 */
export interface DatabaseClient extends RemoteTables {
  /**
   * `callback` is called soon after another process has changed the database, never
   * for what this one changes.
   */
  changed(callback: () => void): void;
  /** Looks now whether that is so; resolves when the callback was called, or not. */
  look(): Promise<void>;
  /** Ends the worker when everything asked so far is done. */
  close(): Promise<void>;
}

/**
 * Starts the worker and opens the database in it. Rejects if it cannot be opened; the
 * message says why and what to do. `onLost` is called if the worker dies later.
 */
export async function openDatabaseWorker(
  options: DatabaseOptions,
  onLost: (reason: string) => void,
): Promise<DatabaseClient> {
  const worker = new Worker(
    new URL("../../workers/database.ts", import.meta.url),
    { type: "module", name: "database" },
  );
  const line = new DatabaseLine(worker, onLost);
  const callbacks: (() => void)[] = [];
  line.onChanged = () => {
    for (const callback of callbacks) callback();
  };
  const methods = await line.open(options);
  return {
    ...remoteTables(line, methods),
    changed: (callback) => {
      callbacks.push(callback);
    },
    look: () => line.look(),
    close: () => line.close(),
  };
}

/** Functions for what the worker says it can do; the types come from the tables. */
function remoteTables(line: DatabaseLine, methods: MethodNames): RemoteTables {
  const tables = Object.entries(methods).map(([entity, names]) => [
    entity,
    Object.fromEntries(
      names.map((name) => [
        name,
        (...args: readonly unknown[]) => line.call(entity, name, args),
      ]),
    ),
  ]);
  return Object.fromEntries(tables) as unknown as RemoteTables;
}
