/** The commands that have to do with keys. */
import { findKeys, keyOrigins } from "../../access/keys.ts";
import { generateKeyPair } from "../../access/ed25519.ts";
import {
  PROGRAM_TOKEN_SEC,
  signToken,
  tokenLifetimeSec,
} from "../../access/token.ts";
import { nowSec } from "../../base/clock.ts";
import { type Config, loadConfig } from "../../config/settings/mod.ts";
import { openDatabase } from "../../db/database.ts";
import { databaseOptions } from "../../db/database_options.ts";
import type { CommandLine } from "./command_line.ts";
import { auditCommand } from "./command_audit.ts";
import { printError, printLine } from "./output.ts";

/** `gen-keypair`: three lines, as upstream's tool prints them. */
export async function printKeyPair(): Promise<void> {
  const pair = await generateKeyPair();
  printLine(`ED25519 PUBLIC_KEY="${pair.publicKey.base64}"`);
  printLine(`ED25519 PRIVATE_KEY="${pair.base64}"`);
  printLine("This is a key pair, not a token: `ringstore token` makes tokens.");
}

/** The roles that the database gives a user. */
function rolesOf(user: string, config: Config): readonly string[] {
  using database = openDatabase(databaseOptions(config));
  const known = database.tables.users.get(user);
  if (known !== undefined) return known.roles;
  throw new Error(
    `there is no user ${JSON.stringify(user)} in ${config.main.db}: ` +
      `ringstore user add ${user}, or name roles: ringstore token --user ${user} --roles LIST`,
  );
}

/** `token`: the token alone, so that `$(ringstore token …)` is one. */
export async function printToken(
  line: CommandLine & { command: "token" },
): Promise<void> {
  const { config } = loadConfig(line.configFile);
  const keys = await findKeys(keyOrigins(config.main["jwt-public-key"]));
  const maxAgeSec = tokenLifetimeSec(
    [line.maxAgeSec, config.auth.jwts["max-age"]],
    PROGRAM_TOKEN_SEC,
  );
  const { user } = line;
  const roles = line.roles ?? rolesOf(user, config);
  const token = await signToken(keys, { user, roles, maxAgeSec });
  printError(
    maxAgeSec === undefined
      ? "the token does not end"
      : `the token ends at ${
        new Date((nowSec() + maxAgeSec) * 1000).toISOString()
      }`,
  );
  auditCommand(config, "token", `jwt of user/${user} roles=${roles.join()}`);
  printLine(token);
}
