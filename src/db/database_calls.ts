/** The calls of a database worker, and its notice of changes by other processes. */
import type { CallOutput } from "../base/worker_call.ts";
import type { DatabaseOptions } from "./database_options.ts";

/** `read`: a database that another connection has opened to write. */
export type DatabaseAccess = "write" | "read";

export interface DatabaseCalls {
  /** Before all others. */
  open(
    how: {
      readonly options: DatabaseOptions;
      readonly access: DatabaseAccess;
    },
  ): { readonly methods: MethodNames } | { readonly refused: string };
  run(call: TableCall): unknown;
  /** Looks whether another process has changed the database; {@linkcode CHANGED} goes first. */
  look(): void;
  /** The last one. */
  close(): void;
}

export interface TableCall {
  /** Name of a table of `DatabaseTables`, and of one of its methods. */
  readonly entity: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Notice: another process has changed the database. */
export const CHANGED = "changed";

/** The methods of each table. */
export type MethodNames = Readonly<Record<string, readonly string[]>>;

export type Opened = CallOutput<DatabaseCalls, "open">;
