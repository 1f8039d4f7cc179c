/**
 * Users by the command line: straight in the database, whether or not a server runs
 * on it; a running one notices within a second.
 */
import { DatabaseUsers } from "../../admin/accounts/database_users.ts";
import { passwordWeakness } from "../../admin/accounts/passwords.ts";
import { Users } from "../../admin/accounts/users.ts";
import { loadConfig } from "../../config/settings/mod.ts";
import { openDatabase } from "../../db/database.ts";
import { databaseOptions } from "../../db/database_options.ts";
import { localTable } from "../../db/local_table.ts";
import type { CommonOptions } from "./command_line.ts";
import { auditCommand } from "./command_audit.ts";
import { printError, printLine } from "./output.ts";
import type { UserLine } from "./user_flags.ts";

/** Rejects with a `ClientError` where it is against the rules. */
export async function runUserCommand(
  line: CommonOptions & UserLine,
): Promise<void> {
  const { config } = loadConfig(line.configFile);
  using database = openDatabase(databaseOptions(config));
  const users = new Users(
    new DatabaseUsers(localTable(database.tables.users)),
  );
  switch (line.command) {
    case "user-add": {
      const password = line.password ?? readPassword();
      await users.create({ ...line, password });
      warnOfWeakness(password);
      const projects = line.projects ?? [];
      auditCommand(
        config,
        "user add",
        `user/${line.username} roles=${line.roles.join()} projects=${projects.join()}`,
      );
      return printLine(`added user ${line.username}`);
    }
    case "user-password": {
      const password = readPassword();
      await users.setPassword(line.username, password);
      warnOfWeakness(password);
      auditCommand(config, "user password", `user/${line.username}`);
      return printLine(
        `${line.username} has a new password; sessions of before have ended`,
      );
    }
    case "user-roles": {
      const { username, roles, projects } = line;
      const changed = await users.setRoles(username, roles, projects);
      auditCommand(
        config,
        "user roles",
        `user/${username} roles=${changed.roles.join()} projects=${changed.projects.join()}`,
      );
      return printLine(
        `${username} has the roles ${changed.roles.join(", ")}` +
          (changed.projects.length === 0
            ? ""
            : ` and manages ${changed.projects.join(", ")}`),
      );
    }
    case "user-del": {
      const known = await users.get(line.username);
      await users.delete(line.username);
      if (known !== undefined) {
        auditCommand(config, "user del", `user/${line.username}`);
      }
      return printLine(
        known === undefined
          ? `there was no user ${line.username}`
          : `deleted user ${line.username}`,
      );
    }
    case "user-list":
      for (const user of await users.list(false)) {
        printLine(
          [user.username, user.roles.join(","), user.projects.join(",")]
            .join("\t"),
        );
      }
  }
}

/** `-migrate-db`: what every start does, alone. */
export function migrateDatabase(line: CommonOptions): void {
  const { config } = loadConfig(line.configFile);
  openDatabase(databaseOptions(config)).close();
  printLine(`${config.main.db} is up to date`);
}

function warnOfWeakness(password: string): void {
  const weakness = passwordWeakness(password);
  if (weakness !== undefined) printError(`warning: ${weakness}`);
}

/** The first line of the input; a terminal is asked, and does not show it. */
function readPassword(): string {
  if (Deno.stdin.isTerminal()) return readHidden("Password: ");
  const input = new TextDecoder().decode(readAll());
  return input.split(/\r?\n/, 1)[0]!;
}

function readAll(): Uint8Array {
  const chunks: number[] = [];
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = Deno.stdin.readSync(buffer);
    if (count === null) return new Uint8Array(chunks);
    chunks.push(...buffer.subarray(0, count));
  }
}

const ENTER = new Set([10, 13]);
const BACKSPACE = new Set([8, 127]);
const INTERRUPT = 3;

function readHidden(question: string): string {
  Deno.stderr.writeSync(new TextEncoder().encode(question));
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    const bytes: number[] = [];
    const buffer = new Uint8Array(1);
    while (Deno.stdin.readSync(buffer) !== null) {
      const byte = buffer[0]!;
      if (ENTER.has(byte)) break;
      if (byte === INTERRUPT) throw new Error("interrupted");
      if (BACKSPACE.has(byte)) bytes.pop();
      else bytes.push(byte);
    }
    return new TextDecoder().decode(new Uint8Array(bytes));
  } finally {
    Deno.stdin.setRaw(false);
    Deno.stderr.writeSync(new TextEncoder().encode("\n"));
  }
}
