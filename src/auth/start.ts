/** Makes the authenticator that a configuration asks for. Main thread, at start. */
import type { Config } from "../config/mod.ts";
import type { AccessState } from "./access_state.ts";
import {
  type Authenticator,
  CredentialAuthenticator,
  OpenDoor,
} from "./authenticator.ts";
import { JwtVerifier } from "./jwt.ts";
import { findKeys, findSessionKey, keyOrigins, type Keys } from "./keys.ts";
import { Sessions } from "./sessions.ts";

export interface StartedAuthentication {
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  /** `undefined` where authentication is off. */
  readonly keys: Keys | undefined;
}

export interface AuthenticationOptions {
  readonly access: AccessState;
  /** Looks for changes that another process made to the control plane. */
  readonly refresh: () => Promise<void>;
  /** Sessions that were ended before their time: id, and Unix seconds of their end. */
  readonly revokedSessions?: Iterable<readonly [string, number]>;
}

/**
 * Finds the keys or makes them. Throws a `KeyError` for keys that cannot be used.
 */
export async function startAuthentication(
  config: Pick<Config, "main" | "auth">,
  { access, refresh, revokedSessions = [] }: AuthenticationOptions,
): Promise<StartedAuthentication> {
  const isOpen = config.main["disable-authentication"];
  const sessions = new Sessions({
    // Where everybody is let in no session is ever looked at.
    key: isOpen
      ? crypto.getRandomValues(new Uint8Array(32))
      : await findSessionKey(),
    maxAgeSec: config.main["session-max-age"] || SESSION_AGE_SEC,
    access,
    revoked: revokedSessions,
  });
  if (isOpen) {
    return { authenticator: new OpenDoor(access), sessions, keys: undefined };
  }
  const keys = await findKeys(keyOrigins(config.main["jwt-public-key"]));
  const authenticator = new CredentialAuthenticator({
    verifier: new JwtVerifier(keys.publicKey.key),
    access,
    sessions,
    validateUser: config.auth.jwts["validate-user"],
    refresh,
  });
  return { authenticator, sessions, keys };
}

/** What `session-max-age: 0s` means, as upstream has it: 30 days. */
const SESSION_AGE_SEC = 30 * 86_400;
