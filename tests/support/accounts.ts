/** Users, sessions and credentials in memory, put together as the server does it. */
import { createAccounts } from "../../src/admin/accounts/start.ts";
import type { AccountServices } from "../../src/admin/accounts/services.ts";
import type {
  AccessRecords,
  UserRecord,
} from "../../src/access/access_records.ts";
import { AccessState, type Authenticator } from "../../src/access/mod.ts";
import { CredentialAuthenticator } from "../../src/access/authenticator.ts";
import { generateKeyPair } from "../../src/access/ed25519.ts";
import { JwtVerifier } from "../../src/access/jwt.ts";
import type { Keys } from "../../src/access/keys.ts";
import { Sessions } from "../../src/access/sessions.ts";
import { MemoryUsers } from "./memory_users.ts";

export interface TestAccounts {
  readonly access: AccessState;
  readonly accounts: AccountServices;
  readonly authenticator: Authenticator;
  readonly keys: Keys;
  readonly store: MemoryUsers;
  /** `user key value` of settings that were kept. */
  readonly settings: string[];
  /** Ids of sessions that were ended. */
  readonly revoked: string[];
}

export async function testAccounts(
  options: {
    readonly records?: Partial<AccessRecords>;
    readonly noticeFile?: string;
    readonly jwts?: Record<string, unknown>;
    /** `CROSS_LOGIN_JWT_HS512_KEY`. */
    readonly sharedKey?: string;
    /** Unix seconds, for tokens and sessions. */
    readonly now?: () => number;
  } = {},
): Promise<TestAccounts> {
  const pair = await generateKeyPair();
  const keys: Keys = {
    publicKey: pair.publicKey,
    privateKey: pair,
    madeIn: undefined,
  };
  const access = new AccessState();
  const store = new MemoryUsers();
  const settings: string[] = [];
  const revoked: string[] = [];
  const reload = () => {
    access.replace({
      instances: [],
      policies: [],
      tokens: [],
      users: [...store.users.values()].map((user): UserRecord => ({
        username: user.username,
        roles: user.roles,
        projects: user.projects,
        fingerprint: `of ${user.username} ${user.passwordHash}`,
        ...(store.deleted.has(user.username)
          ? { deletedSec: store.deleted.get(user.username)! }
          : {}),
      })).concat(
        [...store.deleted].filter(([name]) => !store.users.has(name)).map((
          [username, deletedSec],
        ) => ({
          username,
          roles: [],
          projects: [],
          fingerprint: "",
          deletedSec,
          isGone: true,
        })),
      ),
      ...options.records,
    });
    return Promise.resolve();
  };
  await reload();
  const sessions = new Sessions({
    key: new Uint8Array(32).fill(3),
    maxAgeSec: 604_800,
    access,
    ...(options.now ? { now: options.now } : {}),
  });
  const authenticator = new CredentialAuthenticator({
    verifier: new JwtVerifier(pair.publicKey.key, options.now),
    access,
    sessions,
    validateUser: options.jwts?.["validate-user"] === true,
    refresh: () => Promise.resolve(),
  });
  const accounts = await createAccounts({
    config: {
      main: { "systemd-unit": "ringstore-test.service" },
      auth: {
        jwts: {
          "max-age": 3600,
          "cookie-name": "",
          "validate-user": false,
          "trusted-issuer": "",
          "sync-user-on-login": false,
          "update-user-on-login": false,
          ...options.jwts,
        },
      },
    },
    access,
    authentication: { authenticator, sessions, keys, warnings: [] },
    store,
    settings: {
      set(username, key, value) {
        settings.push(`${username} ${key} ${value}`);
        return Promise.resolve();
      },
    },
    sessionStore: {
      begin: () => Promise.resolve(),
      end(id) {
        revoked.push(id);
        return Promise.resolve();
      },
    },
    changed: reload,
    failureStepMs: 1,
    sharedKey: options.sharedKey,
    ...(options.noticeFile ? { noticeFile: options.noticeFile } : {}),
  });
  return { access, accounts, authenticator, keys, store, settings, revoked };
}
