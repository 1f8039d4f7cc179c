/**
 * Records every change with its author and every refused request: one line each on the
 * log, at any log level, and in a file of its own if `main.audit-log` names one. Lines
 * hold names of things, never secrets. Main thread.
 */
import { Log } from "./log.ts";

export interface AuditedChange {
  /** The operation, such as `createUser`. */
  readonly what: string;
  readonly who: string;
  /** Address of the client. */
  readonly from: string;
  /** The changed object, with its new rights if the change concerns rights. */
  readonly object: string;
  /** `done`, or the status of the failure. */
  readonly outcome: string | number;
}

export interface AuditedRefusal {
  /**
   * Name of the principal; absent if authentication failed: the address stands for it.
   */
  readonly who?: string | undefined;
  /** The name that an unknown client claims. */
  readonly claims?: string | undefined;
  readonly from?: string | undefined;
  readonly route?: string | undefined;
  readonly reason: string;
  readonly message?: string | undefined;
}

/** The part of the audit that other rooms call. */
export interface AuditSink {
  change(change: AuditedChange): void;
  refused(refusal: AuditedRefusal): void;
}

export interface AuditOptions {
  readonly log: Pick<Log, "audit" | "err">;
  /** `main.audit-log`; `""`: none. */
  readonly file: string;
  /** For tests of a disk that fails. */
  readonly open?: (path: string) => AuditFile;
}

/** The file that the audit appends lines to. */
export type AuditFile = Pick<Deno.FsFile, "writeSync" | "close">;

/** Kinds of refusals told apart in a minute; the rest is counted together. */
const KINDS_MAX = 1000;
const MINUTE_MS = 60_000;
const NAME_CHARS = 100;

export class AuditTrail implements AuditSink {
  readonly #log: AuditOptions["log"];
  readonly #path: string;
  /** Writes lines as the log has them, with the time. */
  readonly #lines: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #openFile: (path: string) => AuditFile;
  #file: AuditFile | undefined;
  #isBroken = false;
  /** Repetitions of each refusal since its line, by principal, route and reason. */
  #again = new Map<string, { refusal: AuditedRefusal; count: number }>();
  #others = 0;

  /** Throws where the file cannot be opened. */
  constructor({ log, file, open = openFile }: AuditOptions) {
    this.#openFile = open;
    this.#log = log;
    this.#path = file;
    this.#lines = new Log(
      { level: "crit", dates: true, priorities: false },
      (line) => this.#append(line),
    );
    if (file !== "") this.#file = open(file);
    this.#timer = setInterval(() => this.tick(), MINUTE_MS);
    Deno.unrefTimer(this.#timer);
  }

  change(change: AuditedChange): void {
    this.#write("changed", { ...change, object: change.object.slice(0, 500) });
  }

  /**
   * The first of its kind is a line; those that come again within the minute are one
   * line with their number at its end.
   */
  refused(refusal: AuditedRefusal): void {
    const { who, from, route, reason } = refusal;
    const kind = JSON.stringify([who ?? null, who ?? from, route, reason]);
    const known = this.#again.get(kind);
    if (known !== undefined) known.count++;
    else if (this.#again.size >= KINDS_MAX) this.#others++;
    else {
      this.#again.set(kind, { refusal, count: 0 });
      this.#write("access refused", refusedFields(refusal));
    }
  }

  /**
   * Writes the repetitions of the last minute and begins to count anew. Runs every
   * minute.
   */
  tick(): void {
    const again = this.#again;
    this.#again = new Map();
    for (const { refusal, count } of again.values()) {
      if (count === 0) continue;
      const { message: _, ...fields } = refusedFields(refusal);
      this.#write("access refused again", { ...fields, times: count });
    }
    if (this.#others === 0) return;
    this.#write("access refused to others", { times: this.#others });
    this.#others = 0;
  }

  /** Goes on in a file of the same name, after the old one was moved away (SIGHUP). */
  reopen(): void {
    if (this.#path === "") return;
    try {
      const next = this.#openFile(this.#path);
      this.#file?.close();
      this.#file = next;
      this.#isBroken = false;
    } catch (error) {
      this.#log.err("main.audit-log cannot be opened again", {
        file: this.#path,
        error,
      });
    }
  }

  /** Writes what is still to be counted. */
  close(): void {
    clearInterval(this.#timer);
    this.tick();
    this.#file?.close();
    this.#file = undefined;
  }

  #write(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log.audit(message, fields);
    if (this.#file !== undefined) this.#lines.audit(message, fields);
  }

  #append(line: string): void {
    const bytes = encoder.encode(line);
    try {
      for (let at = 0; at < bytes.length;) {
        at += this.#file!.writeSync(bytes.subarray(at));
      }
      this.#isBroken = false;
    } catch (error) {
      // The line is in the log; one word about the file until it works again.
      if (this.#isBroken) return;
      this.#isBroken = true;
      this.#log.err("main.audit-log cannot be written", {
        file: this.#path,
        error,
      });
    }
  }
}

const encoder = new TextEncoder();

function refusedFields(refusal: AuditedRefusal) {
  const { who, claims, from, route, reason, message } = refusal;
  return {
    reason,
    who: who?.slice(0, NAME_CHARS),
    claims: claims?.slice(0, NAME_CHARS),
    from,
    route,
    message,
  };
}

/** For its owner alone; made where it is missing. */
function openFile(path: string): AuditFile {
  return Deno.openSync(path, { append: true, create: true, mode: 0o600 });
}
