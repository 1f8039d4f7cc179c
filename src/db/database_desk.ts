/** Answers the requests to a database worker. Worker threads only. */
import { assert } from "../base/assert.ts";
import { ClientError } from "../base/errors.ts";
import { type Database, openDatabase, openReader } from "./database.ts";
import type {
  CallAnswer,
  DatabaseAnswer,
  DatabaseCall,
  DatabaseQuestion,
  DatabaseRequest,
} from "./database_messages.ts";
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

export class DatabaseDesk {
  readonly #send: (answer: DatabaseAnswer) => void;
  /** The callable methods by table and name. A message can call no others. */
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
      case "ask":
        return this.#answerAll(request.questions);
      case "close":
        return this.#close();
    }
  }

  #open({ options, access }: DatabaseRequest & { kind: "open" }): void {
    let database: Database;
    try {
      database = access === "read"
        ? openReader(options)
        : openDatabase(options);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.#send({ kind: "refused", message });
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

  /** Answers in order. An answer waits only for the calls of its own transaction. */
  #answerAll(questions: readonly DatabaseQuestion[]): void {
    for (let i = 0; i < questions.length;) {
      const calls = committedTogether(questions, i);
      const answers = calls.length > 1
        ? this.#answerTogether(calls)
        : [this.#answer(questions[i]!)];
      this.#send({ kind: "answers", answers });
      i += answers.length;
    }
  }

  #answer(question: DatabaseQuestion): CallAnswer {
    const { id } = question;
    try {
      if (question.kind === "call") return this.#call(question);
      if (this.#database !== undefined) this.#lookForChange(this.#database);
      return { kind: "value", id, value: undefined };
    } catch (error) {
      return refusal(id, explainSqliteError(error));
    }
  }

  /**
   * All of them in one transaction, or each in its own if one of them fails. Where it
   * is the disk, or another process, it would be the same for each.
   */
  #answerTogether(calls: readonly DatabaseCall[]): CallAnswer[] {
    assert(this.#database !== undefined, "the database is not open");
    try {
      return this.#database.transaction(() =>
        calls.map((call) => this.#call(call))
      );
    } catch (cause) {
      const error = explainSqliteError(cause);
      return error instanceof ClientError && error.code === "E_STORAGE"
        ? calls.map(({ id }) => refusal(id, error))
        : calls.map((call) => this.#answer(call));
    }
  }

  #call({ id, entity, method, args }: DatabaseCall): CallAnswer {
    const work = this.#methods.get(entity)?.get(method);
    assert(work !== undefined, `the database has no ${entity}.${method}`);
    return { kind: "value", id, value: work(...args) };
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

/** From `first` on, the calls that are of one transaction. */
function committedTogether(
  questions: readonly DatabaseQuestion[],
  first: number,
): DatabaseCall[] {
  const calls: DatabaseCall[] = [];
  for (let i = first; i < questions.length; i++) {
    const question = questions[i]!;
    if (question.kind !== "call") break;
    const { entity, method } = question;
    if (!COMMITTED_TOGETHER.has(`${entity}.${method}`)) break;
    calls.push(question);
  }
  return calls;
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
  if (error instanceof ClientError) {
    const { code, message, retryAfterSec } = error;
    return { kind: "error", id, code, message, retryAfterSec };
  }
  return {
    kind: "error",
    id,
    code: "E_INTERNAL",
    // The log needs the stack, which would not cross to the main thread by itself.
    message: error instanceof Error
      ? error.stack ?? error.message
      : String(error),
    retryAfterSec: undefined,
  };
}
