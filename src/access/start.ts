/** Makes the authenticator that a configuration asks for. Main thread, at start. */
import type { Config } from "../config/settings/mod.ts";
import type { AccessState } from "./access_state.ts";
import {
  type Authenticator,
  CredentialAuthenticator,
  OpenDoor,
} from "./authenticator.ts";
import type { EndingCredentials } from "./ending_credentials.ts";
import { JwtVerifier } from "./jwt.ts";
import {
  findKeys,
  findSessionKey,
  keyOrigins,
  type Keys,
  SESSION_KEY_BYTES_ENOUGH,
} from "./keys.ts";
import { previousPublicKeys, previousSessionKeys } from "./previous_keys.ts";
import { type Session, Sessions } from "./sessions.ts";

export interface StartedAuthentication {
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  /** `undefined` where authentication is off. */
  readonly keys: Keys | undefined;
  /** What the operator had better change. */
  readonly warnings: readonly string[];
}

export interface AuthenticationOptions {
  readonly access: AccessState;
  /** Looks for changes that another process made to the control plane. */
  readonly refresh: () => Promise<void>;
  /** Sessions that were ended before their time: id, and Unix seconds of their end. */
  readonly revokedSessions?: Iterable<readonly [string, number]>;
  /** Sessions that began before, oldest first. */
  readonly openSessions?: Iterable<Session>;
  /** Told of credentials in use that end before long. */
  readonly endings?: EndingCredentials;
}

/**
 * Finds the keys or makes them. Throws a `KeyError` for keys that cannot be used.
 */
export async function startAuthentication(
  config: Pick<Config, "main" | "auth">,
  options: AuthenticationOptions,
): Promise<StartedAuthentication> {
  const { access, refresh, endings } = options;
  const isOpen = config.main["disable-authentication"];
  // Where everybody is let in no session is ever looked at.
  const key = isOpen
    ? crypto.getRandomValues(new Uint8Array(SESSION_KEY_BYTES_ENOUGH))
    : await findSessionKey();
  const warnings = key.length < SESSION_KEY_BYTES_ENOUGH
    ? [
      `the session key has ${key.length} bytes: use ${SESSION_KEY_BYTES_ENOUGH} or more`,
    ]
    : [];
  const sessions = new Sessions({
    key,
    previousKeys: isOpen ? [] : previousSessionKeys(),
    maxAgeSec: config.main["session-max-age"] || SESSION_AGE_SEC,
    access,
    revoked: options.revokedSessions ?? [],
    open: options.openSessions ?? [],
  });
  if (isOpen) {
    return {
      authenticator: new OpenDoor(access),
      sessions,
      keys: undefined,
      warnings,
    };
  }
  const keys = await findKeys(keyOrigins(config.main["jwt-public-key"]));
  const authenticator = new CredentialAuthenticator({
    verifier: new JwtVerifier([
      keys.publicKey.key,
      ...await previousPublicKeys(config.main["previous-jwt-public-keys"]),
    ]),
    access,
    sessions,
    validateUser: config.auth.jwts["validate-user"],
    refresh,
    ...(endings ? { endings } : {}),
  });
  return { authenticator, sessions, keys, warnings };
}

/** What `session-max-age: 0s` means, as upstream has it: 30 days. */
const SESSION_AGE_SEC = 30 * 86_400;
