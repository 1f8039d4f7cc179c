/**
 * Tokens of the admin API: rules and representation. The secret leaves this file
 * once, in the answer to its creation. Main thread.
 */
import type { z } from "zod";
import { makeToken } from "../../access/admin_token.ts";
import type { RemoteTables } from "../../db/remote.ts";
import type { TokenRow } from "../../db/token_table.ts";
import type { Changes } from "./changes.ts";
import {
  checkCount,
  demand,
  type Shown,
  type VersionCheck,
} from "./resource.ts";
import type {
  madeTokenSchema,
  newTokenSchema,
  tokenSchema,
} from "./schemas.ts";

export type Token = z.infer<typeof tokenSchema>;
type MadeToken = z.infer<typeof madeTokenSchema>;

const TOKENS_MAX = 10_000;

/** What changes here acts on. */
const CHANGED = ["tokens"] as const;

export class Tokens {
  readonly #table: RemoteTables["tokens"];
  readonly #changes: Changes;

  constructor(table: RemoteTables["tokens"], changes: Changes) {
    this.#table = table;
    this.#changes = changes;
  }

  /** By name; `all`: also those that are not active. */
  async list(all: boolean): Promise<Token[]> {
    const rows = await this.#table.list({ includeInactive: all });
    return rows.map((row) => show(row).value);
  }

  async get(name: string): Promise<Shown<Token>> {
    return show(await this.#find(name));
  }

  create(given: z.infer<typeof newTokenSchema>): Promise<Shown<MadeToken>> {
    return this.#changes.make(CHANGED, async () => {
      const { name } = given;
      checkCount("tokens", await this.#table.count(), TOKENS_MAX);
      const { text, secretHash } = makeToken(name);
      const row = await this.#table.create({
        name,
        displayName: given.display_name ?? name,
        secretSha256: secretHash,
        accessPolicy: given.access_policy,
        expiration: given.expiration ?? null,
      });
      const { value, version } = show(row);
      return { value: { ...value, token: text }, version };
    });
  }

  /** Revokes it for good. */
  delete(name: string, checkVersion: VersionCheck): Promise<void> {
    return this.#changes.make(CHANGED, async () => {
      const row = await this.#find(name);
      checkVersion(row.version);
      await this.#table.delete(name, row.version);
    });
  }

  async #find(name: string): Promise<TokenRow> {
    return demand("token", name, await this.#table.get(name));
  }
}

function show(row: TokenRow): Shown<Token> {
  return {
    value: {
      name: row.name,
      display_name: row.displayName,
      created_at: row.createdAt,
      ...(row.status === "active" ? {} : { status: "inactive" }),
      ...(row.expiration === null ? {} : { expiration: row.expiration }),
      access_policy: row.accessPolicy,
    },
    version: row.version,
  };
}
