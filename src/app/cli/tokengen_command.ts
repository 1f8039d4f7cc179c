/**
 * `tokengen`: the first token of the admin API, straight in the database, whether
 * or not a server runs on it; a running one takes the token at once.
 */
import { randomBytes } from "node:crypto";
import { makeToken } from "../../access/admin_token.ts";
import { loadConfig } from "../../config/settings/mod.ts";
import { openDatabase } from "../../db/database.ts";
import { databaseOptions } from "../../db/database_options.ts";
import type { CommonOptions } from "./command_line.ts";
import { auditCommand } from "./command_audit.ts";
import { printLine } from "./output.ts";

export interface TokenGenLine {
  readonly command: "tokengen";
  /** Name of the access policy. */
  readonly policy: string;
  /** `undefined`: it is printed only. */
  readonly file: string | undefined;
}

const NAME_BYTES = 8;

/**
 * Prints the token once. Throws where the file exists already or cannot be made,
 * and a `ClientError` where there is no such policy; then nothing was made.
 */
export function generateToken(line: CommonOptions & TokenGenLine): void {
  const { config } = loadConfig(line.configFile);
  using database = openDatabase(databaseOptions(config));
  const name = `${line.policy}-${randomBytes(NAME_BYTES).toString("hex")}`;
  const { text, secretHash } = makeToken(name);
  const create = () =>
    void database.tables.tokens.create({
      name,
      displayName: name,
      secretSha256: secretHash,
      accessPolicy: line.policy,
      expiration: null,
    });
  if (line.file === undefined) create();
  else writeNewFile(line.file, `${text}\n`, create);
  auditCommand(config, "tokengen", `tokens/${name} policy=${line.policy}`);
  printLine(text);
}

/** Makes the file, readable by its owner only, and does `then`; both or none. */
function writeNewFile(path: string, text: string, then: () => void): void {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new Error(`${path} exists: it is not overwritten`, { cause: error });
  }
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += file.writeSync(bytes.subarray(at));
    }
    file.syncSync();
    then();
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  } finally {
    file.close();
  }
}
