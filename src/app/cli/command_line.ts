/**
 * The command line: upstream's flags, and commands of our own. Turns arguments
 * into a value that says what to do; does nothing itself.
 */
import { ADMIN_POLICY } from "../../access/access_records.ts";
import { parseDuration } from "../../config/settings/duration.ts";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import { type Role, ROLES } from "../../access/mod.ts";
import {
  ARCHIVE_ACTIONS,
  type ArchiveLine,
  readArchive,
} from "./archive_flags.ts";
import {
  type FlagSpecs,
  type ParsedFlags,
  parseFlags,
  UsageError,
} from "./flags.ts";
import type { TokenGenLine } from "./tokengen_command.ts";
import {
  PUBLISH_FLAGS,
  type PublishLine,
  readPublish,
} from "./publish_flags.ts";
import {
  ESTIMATE_FLAGS,
  EXPORT_FLAGS,
  IMPORT_FLAGS,
  readEstimate,
  readExport,
  readImport,
  type TransferLine,
} from "./transfer_flags.ts";
import {
  readAddUser,
  readUser,
  USER_ACTIONS,
  USER_FLAGS,
  type UserLine,
} from "./user_flags.ts";

/** What every command is told. */
export interface CommonOptions {
  readonly configFile: string;
  readonly logLevel: LogLevel;
  readonly logDates: boolean;
}

export type CommandLine =
  & CommonOptions
  & (
    | {
      readonly command: "serve";
      readonly dev: boolean;
      /** Flags that were given and have no effect. */
      readonly withoutEffect: readonly string[];
    }
    | {
      readonly command: "token";
      readonly user: string;
      /** `undefined`: those of the user in the database. */
      readonly roles: readonly Role[] | undefined;
      /** `undefined`: as `auth.jwts.max-age` says. */
      readonly maxAgeSec: number | undefined;
    }
    | TransferLine
    | PublishLine
    | UserLine
    | TokenGenLine
    | ArchiveLine
    | { readonly command: "clean-up" | "migrate-db" }
    | { readonly command: "gen-keypair" | "version" }
    | {
      readonly command: "help";
      /** Of which command; `undefined`: of all. */
      readonly about: string | undefined;
    }
  );

const COMMON_FLAGS: FlagSpecs = {
  config: { value: "FILE", help: "configuration (default ./config.json)" },
  loglevel: {
    value: "LEVEL",
    help: `${LOG_LEVELS.join("|")} (default warn)`,
  },
  logdate: { help: "put the date before each line of the log" },
};

/** Of every command, too. */
const HELP_FLAGS: FlagSpecs = {
  help: { help: "print this and end; behind a command: what it takes" },
  h: { help: "the same" },
};

const SERVE_FLAGS: FlagSpecs = {
  dev: { help: "serve Swagger UI under /swagger/" },
  version: { help: "print the version and end" },
  ...HELP_FLAGS,
  "add-user": {
    value: "NAME:ROLES:PASSWORD",
    help: "the same as: user add NAME --roles ROLES",
  },
  "del-user": { value: "NAME", help: "the same as: user del NAME" },
  "init-db": { help: "the same as: archive init-db" },
  "migrate-db": { help: "bring the database up to date, and end" },
  jwt: {
    value: "USER",
    help: "the same as: token --user USER, with the roles of the database",
  },
  "cleanup-checkpoints": {
    help: "archive or delete what is past the retention, and end; " +
      "a server that runs on the same directory does it",
  },
  gops: { help: "accepted, has no effect" },
  server: { help: "accepted, has no effect" },
};

interface Command {
  readonly help: string;
  readonly flags: FlagSpecs;
  /** What the words are called that may stand among the flags; absent: none may. */
  readonly words?: readonly string[];
  /** What the first of them may be, where that is to be told one by one. */
  readonly actions?: readonly {
    readonly words: string;
    readonly help: string;
  }[];
  readonly read: (flags: ParsedFlags, common: CommonOptions) => CommandLine;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  "gen-keypair": {
    help: "print a new Ed25519 key pair",
    flags: {},
    read: (_, common) => ({ ...common, command: "gen-keypair" }),
  },
  token: {
    help: "print a signed token",
    flags: {
      user: { value: "NAME", help: "for whom (required)" },
      roles: {
        value: "LIST",
        help: `of ${ROLES.join(", ")}, joined by commas ` +
          "(default those of the user in the database)",
      },
      "max-age": {
        value: "DURATION",
        help:
          "until it expires, such as 48h; 0: never (default auth.jwts.max-age, else 8760h)",
      },
    },
    read: ({ values }, common) => readToken(values, common),
  },
  tokengen: {
    help: "make a token of the admin API, and print it this once",
    flags: {
      "access-policy": {
        value: "NAME",
        help: "what it may do (default __admin__: everything)",
      },
      "token-file": {
        value: "FILE",
        help: "write it there as well; the file must not exist",
      },
    },
    read: ({ values }, common) => ({
      ...common,
      command: "tokengen",
      policy: values.get("access-policy") ?? ADMIN_POLICY.name,
      file: values.get("token-file"),
    }),
  },
  import: {
    help: "send upstream's checkpoints to a running server",
    words: ["DIR"],
    flags: IMPORT_FLAGS,
    read: (flags, common) => ({ ...common, ...readImport(flags) }),
  },
  export: {
    help: "write samples of a running server",
    flags: EXPORT_FLAGS,
    read: (flags, common) => ({ ...common, ...readExport(flags) }),
  },
  estimate: {
    help: "print the memory and disk that a centre will need",
    flags: ESTIMATE_FLAGS,
    read: (flags, common) => ({ ...common, ...readEstimate(flags) }),
  },
  publish: {
    help: "send lines from FILE or the input by NATS or HTTP",
    words: ["[FILE]"],
    flags: PUBLISH_FLAGS,
    read: (flags, common) => ({ ...common, ...readPublish(flags) }),
  },
  archive: {
    help: "the archive of jobs, one of:",
    words: ["ACTION", "DIR"],
    actions: ARCHIVE_ACTIONS,
    flags: {},
    read: (flags, common) => ({ ...common, ...readArchive(flags) }),
  },
  user: {
    help: "users of the database, one of:",
    words: ["ACTION", "NAME", "LIST"],
    actions: USER_ACTIONS,
    flags: USER_FLAGS,
    read: (flags, common) => ({ ...common, ...readUser(flags) }),
  },
  help: {
    help: "print this, or what COMMAND takes",
    words: ["[COMMAND]"],
    flags: {},
    read: ({ rest }, common) => helpAbout(rest[0], common),
  },
};

/** Throws a {@linkcode UsageError}. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const first = parseFlags(args, { ...COMMON_FLAGS, ...SERVE_FLAGS });
  const [name, ...others] = first.rest;
  if (name === undefined) return readServe(first, readCommon(first.values));
  const command = commandOf(name);
  for (const flag of first.values.keys()) {
    if (flag in COMMON_FLAGS || flag in HELP_FLAGS) continue;
    throw new UsageError(`-${flag} does not go with the command ${name}`);
  }
  const second = parseCommandFlags(others, command);
  const values = new Map([...first.values, ...second.values]);
  if (wantsHelp(values)) return helpAbout(name, readCommon(values));
  return command.read({ values, rest: second.rest }, readCommon(values));
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(`unknown command: ${name}`);
  return command;
}

function wantsHelp(values: ReadonlyMap<string, string>): boolean {
  return Object.keys(HELP_FLAGS).some((name) => values.get(name) === "true");
}

function helpAbout(
  about: string | undefined,
  common: CommonOptions,
): CommandLine {
  if (about !== undefined) commandOf(about);
  return { ...common, command: "help", about };
}

/** The flags of a command, before, among and behind the words that it may take. */
function parseCommandFlags(
  args: readonly string[],
  command: Command,
): ParsedFlags {
  const specs = { ...COMMON_FLAGS, ...HELP_FLAGS, ...command.flags };
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let rest = args;;) {
    const found = parseFlags(rest, specs);
    for (const [name, value] of found.values) values.set(name, value);
    const [word, ...others] = found.rest;
    if (word === undefined) return { values, rest: words };
    if (words.length === (command.words?.length ?? 0)) {
      throw new UsageError(`unexpected word: ${word}`);
    }
    words.push(word);
    rest = others;
  }
}

/**
 * The help text, of one command or of all, from the same tables that are parsed by.
 */
export function usage(about?: string): string {
  if (about !== undefined) {
    return [
      ...usageLines(about, commandOf(about)),
      "",
      "Flags, with one or two dashes:",
      ...flagLines({ ...commandOf(about).flags, ...COMMON_FLAGS }),
    ].join("\n");
  }
  return [
    "Usage: ringstore [flags]                 run the server",
    "       ringstore [flags] COMMAND [flags]",
    "",
    "Flags, with one or two dashes:",
    ...flagLines({ ...COMMON_FLAGS, ...SERVE_FLAGS }),
    "",
    "Commands:",
    ...Object.entries(COMMANDS).flatMap((
      [name, { help, words = [], actions = [], flags }],
    ) => [
      `  ${
        [name, ...(actions.length > 0 ? ["ACTION"] : words)].join(" ")
          .padEnd(20)
      } ${help}`,
      ...actions.map((one) => `    ${one.words.padEnd(18)} ${one.help}`),
      ...flagLines(flags).map((line) => `  ${line}`),
    ]),
  ].join("\n");
}

function flagLines(specs: FlagSpecs): string[] {
  return Object.entries(specs).map(([name, { value, help }]) => {
    const left = value === undefined ? `-${name}` : `-${name} ${value}`;
    return `  ${left.padEnd(20)} ${help}`;
  });
}

/** How one command is called: a line for each of its actions. */
function usageLines(
  name: string,
  { help, words = [], actions = [] }: Command,
): string[] {
  if (actions.length === 0) {
    return [`Usage: ringstore ${[name, ...words].join(" ")} [flags]`, "", help];
  }
  return [
    `Usage: ringstore ${name} ACTION [flags]`,
    "",
    help,
    ...actions.map((one) => `  ${one.words.padEnd(20)} ${one.help}`),
  ];
}

function readCommon(values: ReadonlyMap<string, string>): CommonOptions {
  const word = values.get("loglevel") ?? "warn";
  const logLevel = LOG_LEVELS.find((level) => level === word);
  if (logLevel === undefined) {
    throw new UsageError(`-loglevel is one of ${LOG_LEVELS.join(", ")}`);
  }
  return {
    configFile: values.get("config") ?? "./config.json",
    logLevel,
    logDates: values.get("logdate") === "true",
  };
}

function readServe(
  { values }: ParsedFlags,
  common: CommonOptions,
): CommandLine {
  const on = (name: string) => values.get(name) === "true";
  if (wantsHelp(values)) return helpAbout(undefined, common);
  if (on("version")) return { ...common, command: "version" };
  const user = values.get("jwt");
  if (user !== undefined) return readToken(new Map([["user", user]]), common);
  const added = values.get("add-user");
  if (added !== undefined) return { ...common, ...readAddUser(added) };
  const deleted = values.get("del-user");
  if (deleted !== undefined) {
    return { ...common, command: "user-del", username: deleted };
  }
  if (on("init-db")) return { ...common, command: "archive-init-db" };
  if (on("migrate-db")) return { ...common, command: "migrate-db" };
  if (on("cleanup-checkpoints")) return { ...common, command: "clean-up" };
  return {
    ...common,
    command: "serve",
    dev: on("dev"),
    withoutEffect: ["gops", "server"].filter(on),
  };
}

function readToken(
  values: ReadonlyMap<string, string>,
  common: CommonOptions,
): CommandLine {
  const user = values.get("user") ?? "";
  if (user === "") throw new UsageError("token needs --user NAME");
  const roles = values.get("roles")?.split(",").map((word) => {
    const role = ROLES.find((known) => known === word.trim());
    if (role !== undefined) return role;
    throw new UsageError(
      `unknown role "${word}": one of ${ROLES.join(", ")} expected`,
    );
  });
  const age = values.get("max-age");
  const maxAgeSec = age === undefined ? undefined : parseDuration(age);
  const isAge = maxAgeSec === 0 || (maxAgeSec !== undefined && maxAgeSec >= 1);
  if (age !== undefined && !isAge) {
    throw new UsageError(
      `--max-age is a duration of at least 1s, such as 48h, or 0 for no end, not "${age}"`,
    );
  }
  return {
    ...common,
    command: "token",
    user,
    roles: roles && [...new Set(roles)],
    maxAgeSec,
  };
}
