/**
 * The log: one line a record on standard error, `LEVEL message key=value …`.
 * Main thread; worker threads report through messages. Where standard error is
 * no terminal a line begins with the priority that systemd reads (`<4>`).
 * Fields whose name speaks of a secret are never written.
 */
import { nowSec } from "./clock.ts";
import { ClientError } from "./errors.ts";

/** From much to little, with the priority of syslog. */
const PRIORITY = { debug: 7, info: 6, warn: 4, err: 3, crit: 2 } as const;

/** Notice: normal but significant. */
const AUDIT_PRIORITY = 5;

export type LogLevel = keyof typeof PRIORITY;
export const LOG_LEVELS = Object.keys(PRIORITY) as readonly LogLevel[];

/** Values beside the message; an error is written with its causes. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: LogLevel;
  /** Each line carries the time (UTC); systemd adds its own. */
  readonly dates: boolean;
  /** Each line begins with `<priority>`. */
  readonly priorities: boolean;
}

const SECRET_NAME = /token|password|secret|authorization|cookie|private/i;
/** Values that need no quotes. */
const PLAIN_VALUE = /^[^\s"=\p{Cc}]+$/u;
/** Longest value written. */
const VALUE_CHARS = 2000;
/** Distinct subjects that {@linkcode Log.warnOnce} remembers. */
const ONCE_MAX = 1000;

export class Log {
  readonly #options: LogOptions;
  readonly #write: (line: string) => void;
  readonly #warned = new Set<string>();

  /** `write` gets whole lines with their line end. */
  constructor(
    options: LogOptions,
    write: (line: string) => void = writeStderr,
  ) {
    this.#options = options;
    this.#write = write;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#record("debug", message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#record("info", message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#record("warn", message, fields);
  }

  err(message: string, fields: LogFields = {}): void {
    this.#record("err", message, fields);
  }

  crit(message: string, fields: LogFields = {}): void {
    this.#record("crit", message, fields);
  }

  /** Warns the first time only that it is called with this subject. */
  warnOnce(subject: string, message: string, fields: LogFields = {}): void {
    if (this.#warned.has(subject) || this.#warned.size >= ONCE_MAX) return;
    this.#warned.add(subject);
    this.warn(message, fields);
  }

  /** Whether records of a level are written: ask before costly fields. */
  writes(level: LogLevel): boolean {
    return PRIORITY[level] <= PRIORITY[this.#options.level];
  }

  /** Writes a line of the audit at any log level. */
  audit(message: string, fields: LogFields): void {
    this.#line("AUDIT", AUDIT_PRIORITY, message, fields);
  }

  #record(level: LogLevel, message: string, fields: LogFields): void {
    if (!this.writes(level)) return;
    this.#line(level.toUpperCase(), PRIORITY[level], message, fields);
  }

  #line(
    word: string,
    priority: number,
    message: string,
    fields: LogFields,
  ): void {
    const { dates, priorities } = this.#options;
    let line = priorities ? `<${priority}>` : "";
    if (dates) line += `${new Date(nowSec() * 1000).toISOString()} `;
    line += `${word} ${oneLine(message)}`;
    for (const [key, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      line += ` ${key}=${
        SECRET_NAME.test(key) ? "[hidden]" : fieldText(value)
      }`;
      if (isOurFault(value) && this.writes("debug")) {
        line += ` stack=${JSON.stringify(value.stack ?? "")}`;
      }
    }
    this.#write(`${line}\n`);
  }
}

/** Returns whether an error is the server's: the stack of a client's error is of no use. */
function isOurFault(value: unknown): value is Error {
  return value instanceof Error &&
    !(value instanceof ClientError && value.code !== "E_INTERNAL");
}

function fieldText(value: unknown): string {
  const text =
    (value instanceof Error
      ? errorText(value)
      : typeof value === "object"
      ? JSON.stringify(value)
      : String(value)).slice(0, VALUE_CHARS);
  return PLAIN_VALUE.test(text) ? text : JSON.stringify(text);
}

/** Returns the message of an error, followed by the messages of its causes. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? error.message
    : `${error.message}: ${errorText(error.cause)}`;
}

/** Text from outside cannot begin a record of its own. */
function oneLine(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (char) => JSON.stringify(char).slice(1, -1),
  );
}

const encoder = new TextEncoder();

function writeStderr(line: string): void {
  const bytes = encoder.encode(line);
  let at = 0;
  while (at < bytes.length) at += Deno.stderr.writeSync(bytes.subarray(at));
}
