/** What the database worker does with each request. Worker thread only. */
import { assert } from "../assert.ts";
import { ClientError } from "../errors.ts";
import { type Database, openDatabase } from "./database.ts";
import type {
  CallAnswer,
  DatabaseAnswer,
  DatabaseCall,
  DatabaseRequest,
} from "./database_messages.ts";
import { explainSqliteError } from "./sqlite_error.ts";

/** How often it is looked whether another process has changed the database. */
const POLL_MS = 500;

type Method = (...args: readonly unknown[]) => unknown;

export class DatabaseDesk {
  readonly #send: (answer: DatabaseAnswer) => void;
  /** What can be called, by table and name: nothing else, whatever a message says. */
  readonly #methods = new Map<string, Map<string, Method>>();
  #database: Database | undefined;
  #dataVersion = 0;
  #poll: ReturnType<typeof setInterval> | undefined;

  constructor(send: (answer: DatabaseAnswer) => void) {
    this.#send = send;
  }

  receive(request: DatabaseRequest): void {
    switch (request.kind) {
      case "open":
        return this.#open(request);
      case "call":
        return this.#send(this.#answer(request));
      case "look":
        return this.#look(request.id);
      case "close":
        return this.#close();
    }
  }

  #open({ options }: DatabaseRequest & { kind: "open" }): void {
    let database;
    try {
      database = openDatabase(options);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.#send({ kind: "refused", message });
    }
    this.#database = database;
    for (const [entity, table] of Object.entries(database.tables)) {
      this.#methods.set(entity, methodsOf(table));
    }
    this.#dataVersion = database.dataVersion();
    this.#poll = setInterval(() => this.#lookForChange(database), POLL_MS);
    this.#send({
      kind: "opened",
      methods: Object.fromEntries(
        [...this.#methods].map(([entity, methods]) => [
          entity,
          [...methods.keys()],
        ]),
      ),
    });
  }

  #answer({ id, entity, method, args }: DatabaseCall): CallAnswer {
    try {
      const work = this.#methods.get(entity)?.get(method);
      assert(work !== undefined, `the database has no ${entity}.${method}`);
      return { kind: "value", id, value: work(...args) };
    } catch (error) {
      return { kind: "error", id, ...describe(explainSqliteError(error)) };
    }
  }

  #look(id: number): void {
    if (this.#database !== undefined) this.#lookForChange(this.#database);
    this.#send({ kind: "value", id, value: undefined });
  }

  #lookForChange(database: Database): void {
    const dataVersion = database.dataVersion();
    if (dataVersion === this.#dataVersion) return;
    this.#dataVersion = dataVersion;
    this.#send({ kind: "changed" });
  }

  #close(): void {
    clearInterval(this.#poll);
    this.#methods.clear();
    this.#database?.close();
    this.#send({ kind: "closed" });
  }
}

/** The public methods of a table's class, bound to the table. */
function methodsOf(table: object): Map<string, Method> {
  const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(table));
  const methods = new Map<string, Method>();
  for (const [name, { value }] of Object.entries(own)) {
    if (name === "constructor" || typeof value !== "function") continue;
    methods.set(name, value.bind(table));
  }
  return methods;
}

function describe(
  error: unknown,
): Pick<CallAnswer & { kind: "error" }, "code" | "message" | "retryAfterSec"> {
  if (error instanceof ClientError) {
    const { code, message, retryAfterSec } = error;
    return { code, message, retryAfterSec };
  }
  // The stack would stay behind; whoever reads the log wants it.
  const message = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return { code: "E_INTERNAL", message, retryAfterSec: undefined };
}
