/** The public face of authentication: from the headers of a request to a principal. */
import type { Config } from "../config/mod.ts";
import { ClientError } from "../errors.ts";
import { findToken, type RequestHeaders } from "./credentials.ts";
import { JwtVerifier } from "./jwt.ts";
import { findKeys, keyOrigins, type Keys } from "./keys.ts";
import { Principal } from "./principal.ts";

export type { RequestHeaders } from "./credentials.ts";
export { type Action, Principal, type Role, ROLES } from "./principal.ts";
export { KeyError } from "./ed25519.ts";

export interface Authenticator {
  /**
   * Who sends a request with these headers (names in lower case). At once where
   * nothing needs computing, else a promise. Throws or rejects with a
   * {@linkcode ClientError} (401) whose message is the reason.
   */
  authenticate(headers: RequestHeaders): Principal | Promise<Principal>;
}

/** Accepts EdDSA tokens that the key verifies, and nothing else. */
class TokenAuthenticator implements Authenticator {
  readonly #verifier: JwtVerifier;

  constructor(verifier: JwtVerifier) {
    this.#verifier = verifier;
  }

  authenticate(headers: RequestHeaders): Principal | Promise<Principal> {
    const token = findToken(headers);
    if (token === undefined) {
      throw new ClientError("E_UNAUTHENTICATED", "Use JWT Authentication");
    }
    return this.#verifier.verify(token);
  }
}

/** `main.disable-authentication`: everybody is the same administrator. */
class OpenDoor implements Authenticator {
  readonly #anonymous = new Principal("anonymous", ["admin", "api"]);

  authenticate(): Principal {
    return this.#anonymous;
  }
}

export interface CreatedAuthenticator {
  readonly authenticator: Authenticator;
  /** `undefined` where authentication is off. */
  readonly keys: Keys | undefined;
}

/**
 * The authenticator that a configuration asks for; finds the keys or makes them.
 * Throws a `KeyError` for keys that cannot be used.
 */
export async function createAuthenticator(
  config: Pick<Config, "main">,
  find: (configured: string) => Promise<Keys> = (configured) =>
    findKeys(keyOrigins(configured)),
): Promise<CreatedAuthenticator> {
  if (config.main["disable-authentication"]) {
    return { authenticator: new OpenDoor(), keys: undefined };
  }
  const keys = await find(config.main["jwt-public-key"]);
  const verifier = new JwtVerifier(keys.publicKey.key);
  return { authenticator: new TokenAuthenticator(verifier), keys };
}
