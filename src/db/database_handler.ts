/** Answers the requests to a database worker. Worker threads only. */
import { assert } from "../base/assert.ts";
import { ClientError } from "../base/errors.ts";
import {
  type CallAnswer,
  type CallInput,
  type CallsMessage,
  errorData,
  type WorkerCall,
  type WorkerMessage,
} from "../base/worker_call.ts";
import { type Database, openDatabase, openReader } from "./database.ts";
import {
  CHANGED,
  type DatabaseCalls,
  type MethodNames,
  type Opened,
  type TableCall,
} from "./database_calls.ts";
import type { JobTable } from "./job_table.ts";
import { explainSqliteError } from "./sqlite_error.ts";

/** How often it is looked whether another process has changed the database. */
const POLL_MS = 500;

/**
 * Calls that come in great numbers and keep nothing in memory. Those that follow one
 * another are one transaction, since a commit costs more than a job does.
 */
const COMMITTED_TOGETHER: ReadonlySet<string> = new Set(
  ["jobs.start", "jobs.stop"] satisfies `jobs.${keyof JobTable}`[],
);

type Method = (...args: readonly unknown[]) => unknown;

type Call = WorkerCall<DatabaseCalls>;
type RunCall = Extract<Call, { readonly name: "run" }>;

export class DatabaseHandler {
  readonly #send: (message: WorkerMessage) => void;
  /** The callable methods by table and name. A message can call no others. */
  readonly #methods = new Map<string, Map<string, Method>>();
  #database: Database | undefined;
  #dataVersion = 0;
  #poll: ReturnType<typeof setInterval> | undefined;

  constructor(send: (message: WorkerMessage) => void) {
    this.#send = send;
  }

  /** Answers in order. An answer waits only for the calls of its own transaction. */
  receive({ calls }: CallsMessage<DatabaseCalls>): void {
    for (let i = 0; i < calls.length;) {
      const together = committedTogether(calls, i);
      const answers = together.length > 1
        ? this.#answerTogether(together)
        : [this.#answer(calls[i]!)];
      this.#send({ answers });
      i += answers.length;
    }
  }

  #answer(call: Call): CallAnswer {
    const { id } = call;
    try {
      return { id, isOk: true, value: this.#do(call) };
    } catch (error) {
      return refusal(id, explainSqliteError(error));
    }
  }

  #do(call: Call): unknown {
    switch (call.name) {
      case "open":
        return this.#open(call.input);
      case "run":
        return this.#run(call.input);
      case "look":
        if (this.#database !== undefined) this.#lookForChange(this.#database);
        return undefined;
      case "close":
        return this.#close();
    }
  }

  #open({ options, access }: CallInput<DatabaseCalls, "open">): Opened {
    let database: Database;
    try {
      database = access === "read"
        ? openReader(options)
        : openDatabase(options);
    } catch (error) {
      return { refused: errorData(error).message };
    }
    this.#database = database;
    for (const [entity, table] of Object.entries(database.tables)) {
      this.#methods.set(entity, methodsOf(table));
    }
    // For a reader every change is one of others.
    if (access === "write") {
      this.#dataVersion = database.dataVersion();
      this.#poll = setInterval(() => this.#lookForChange(database), POLL_MS);
    }
    return { methods: this.#methodNames() };
  }

  #methodNames(): MethodNames {
    return Object.fromEntries(
      [...this.#methods].map(([entity, methods]) => [
        entity,
        [...methods.keys()],
      ]),
    );
  }

  /**
   * All of them in one transaction, or each in its own if one of them fails. Where it
   * is the disk, or another process, it would be the same for each.
   */
  #answerTogether(calls: readonly RunCall[]): CallAnswer[] {
    assert(this.#database !== undefined, "the database is not open");
    try {
      return this.#database.transaction(() =>
        calls.map(({ id, input }) => ({
          id,
          isOk: true,
          value: this.#run(input),
        }))
      );
    } catch (cause) {
      const error = explainSqliteError(cause);
      return error instanceof ClientError && error.code === "E_STORAGE"
        ? calls.map(({ id }) => refusal(id, error))
        : calls.map((call) => this.#answer(call));
    }
  }

  #run({ entity, method, args }: TableCall): unknown {
    const work = this.#methods.get(entity)?.get(method);
    assert(work !== undefined, `the database has no ${entity}.${method}`);
    return work(...args);
  }

  #lookForChange(database: Database): void {
    const dataVersion = database.dataVersion();
    if (dataVersion === this.#dataVersion) return;
    this.#dataVersion = dataVersion;
    this.#send({ notice: CHANGED });
  }

  #close(): void {
    clearInterval(this.#poll);
    this.#methods.clear();
    this.#database?.close();
    this.#database = undefined;
  }
}

/** From `first` on, the calls that are of one transaction. */
function committedTogether(calls: readonly Call[], first: number): RunCall[] {
  const together: RunCall[] = [];
  for (let i = first; i < calls.length; i++) {
    const call = calls[i]!;
    if (call.name !== "run") break;
    const { entity, method } = call.input;
    if (!COMMITTED_TOGETHER.has(`${entity}.${method}`)) break;
    together.push(call);
  }
  return together;
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

function refusal(id: number, error: unknown): CallAnswer {
  return { id, isOk: false, error: errorData(error) };
}
