/**
 * Messages between the main thread and a database worker. Errors cross as a code and a
 * message, since their class would not survive.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { DatabaseOptions } from "./database_options.ts";

/** `read`: a database that somebody else has opened to write. */
export type DatabaseAccess = "write" | "read";

export type DatabaseRequest =
  | {
    readonly kind: "open";
    readonly options: DatabaseOptions;
    readonly access: DatabaseAccess;
  }
  /** In the order in which they were asked, which is that of the answers. */
  | { readonly kind: "ask"; readonly questions: readonly DatabaseQuestion[] }
  /** The last one; everything asked before is answered first. */
  | { readonly kind: "close" };

export type DatabaseQuestion =
  | DatabaseCall
  /** Has another process changed the database? If so it is said before the answer. */
  | { readonly kind: "look"; readonly id: number };

export interface DatabaseCall {
  readonly kind: "call";
  readonly id: number;
  /** Name of a table of `DatabaseTables`, and of one of its methods. */
  readonly entity: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type DatabaseAnswer =
  | { readonly kind: "opened"; readonly methods: MethodNames }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "answers"; readonly answers: readonly CallAnswer[] }
  /** Another process has changed the database. */
  | { readonly kind: "changed" }
  | { readonly kind: "closed" };

export type CallAnswer =
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | {
    readonly kind: "error";
    readonly id: number;
    readonly code: ErrorCode;
    readonly message: string;
    readonly retryAfterSec: number | undefined;
  };

/** The methods of each table. */
export type MethodNames = Readonly<Record<string, readonly string[]>>;
