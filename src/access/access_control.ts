/**
 * Keeps what the HTTP server knows of instances, policies, tokens and users the same
 * as the database: who changes something here waits until it counts, and what other
 * processes change counts soon. Main thread.
 */
import type { DatabaseClient } from "../db/remote.ts";
import type { Log } from "../base/log.ts";
import {
  instanceRecord,
  policyRecord,
  RecordKeeper,
  tokenRecord,
} from "./access_rows.ts";
import type {
  AccessRecords,
  PolicyRecord,
  UserRecord,
} from "./access_records.ts";
import { outsideChanges } from "./outside_changes.ts";
import { Policy } from "./policy.ts";
import { AccessState } from "./access_state.ts";

/** After this a reading that failed is tried again. */
const RETRY_MS = 1000;

export type AccessTable = keyof AccessRecords;
const TABLES: readonly AccessTable[] = [
  "instances",
  "policies",
  "tokens",
  "users",
];

type Database = Pick<DatabaseClient, AccessTable | "changed" | "look">;

export class AccessControl {
  readonly state = new AccessState();
  readonly #database: Database;
  readonly #log: Pick<Log, "err" | "warn">;
  #records: AccessRecords = {
    instances: [],
    policies: [],
    tokens: [],
    users: [],
  };
  readonly #keepers = {
    instances: new RecordKeeper(nameOf, instanceRecord),
    policies: new RecordKeeper(nameOf, policyRecord),
    tokens: new RecordKeeper(nameOf, tokenRecord),
    users: new RecordKeeper(
      (user: UserRecord) => user.username,
      (user) => user,
    ),
  };
  /** Receives each change of another process, once it counts. */
  readonly #onOutside: (change: string) => void;
  /** Another process has changed the database since it was read. */
  #isOutside = false;
  /** Tables that may have changed since they were read. */
  readonly #due = new Set<AccessTable>();
  /** The reading that comes next, as long as it has not begun. */
  #next: Promise<void> | undefined;
  /** Settles when nothing is being read. */
  #idle: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  #lastLook: Promise<void> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  readonly #warnedOf = new WeakSet<PolicyRecord>();

  private constructor(
    database: Database,
    log: Pick<Log, "err" | "warn">,
    onOutside: (change: string) => void,
  ) {
    this.#database = database;
    this.#log = log;
    this.#onOutside = onOutside;
  }

  /**
   * Rejects when the database cannot be read. `onOutside` is told of each user,
   * instance, policy and token that another process changes from then on; what this
   * one changes in the same moment may be among them.
   */
  static async open(
    database: Database,
    log: Pick<Log, "err" | "warn">,
    onOutside: (change: string) => void = () => {},
  ): Promise<AccessControl> {
    const control = new AccessControl(database, log, onOutside);
    try {
      await control.reload();
    } catch (error) {
      control.close();
      throw error;
    }
    database.changed(() => {
      control.#isOutside = true;
      void control.reload().catch(() => {});
    });
    return control;
  }

  /**
   * Resolves when everything written to these tables before the call counts. Rejects
   * when they cannot be read; that is logged and tried again.
   */
  reload(tables: readonly AccessTable[] = TABLES): Promise<void> {
    for (const table of tables) this.#due.add(table);
    if (this.#next === undefined) {
      this.#next = this.#idle.then(() => {
        this.#next = undefined;
        return this.#load();
      });
      // Who waits for the reading is told how it went.
      this.#idle = this.#next.catch(() => {});
    }
    return this.#next;
  }

  /**
   * Resolves when what other processes wrote before the call counts. However many
   * ask, the database is asked once at a time.
   */
  refresh(): Promise<void> {
    if (this.#nextLook === undefined) {
      this.#nextLook = this.#lastLook.then(async () => {
        this.#nextLook = undefined;
        await this.#database.look();
        await this.#idle;
      });
      this.#lastLook = this.#nextLook.catch(() => {});
    }
    return this.#nextLook;
  }

  /** Tries nothing again any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  async #load(): Promise<void> {
    const tables = [...this.#due];
    this.#due.clear();
    const isOutside = this.#isOutside;
    this.#isOutside = false;
    try {
      const read = await Promise.all(
        tables.map((table) => this.#read(table)),
      );
      const before = this.#records;
      this.#records = Object.assign({ ...before }, ...read);
      this.state.replace(this.#records);
      if (!isOutside) return;
      for (const change of outsideChanges(before, this.#records)) {
        this.#onOutside(change);
      }
    } catch (error) {
      for (const table of tables) this.#due.add(table);
      this.#isOutside ||= isOutside;
      this.#log.err("who may do what cannot be read from the database", {
        error,
      });
      this.#tryAgain();
      throw error;
    }
  }

  /** Once of each; they can be made no more, but were before. */
  #warnOfContradictions(policies: readonly PolicyRecord[]): void {
    for (const record of policies) {
      if (!record.active || !new Policy(record).isContradictory) continue;
      if (this.#warnedOf.has(record)) continue;
      this.#warnedOf.add(record);
      this.#log.warn(
        "an access policy has label policies beside metrics:write or admin: its tokens write nothing",
        { policy: record.name },
      );
    }
  }

  #tryAgain(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => void this.reload([]).catch(() => {}),
      RETRY_MS,
    );
  }

  async #read(table: AccessTable): Promise<Partial<AccessRecords>> {
    const keepers = this.#keepers;
    const { instances, policies, tokens, users } = this.#database;
    switch (table) {
      case "instances": {
        const keeper = keepers.instances;
        const changes = await instances.changes(keeper.generation);
        return { instances: keeper.apply(changes) };
      }
      case "policies": {
        const keeper = keepers.policies;
        const changes = await policies.changes(keeper.generation);
        const records = keeper.apply(changes);
        this.#warnOfContradictions(records);
        return { policies: records };
      }
      case "tokens": {
        const keeper = keepers.tokens;
        const changes = await tokens.changes(keeper.generation);
        return { tokens: keeper.apply(changes) };
      }
      case "users": {
        const keeper = keepers.users;
        const changes = await users.accessChanges(keeper.generation);
        return { users: keeper.apply(changes) };
      }
    }
  }
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
