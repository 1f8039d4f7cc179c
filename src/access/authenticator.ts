/**
 * From the headers of a request to a principal. Main thread. Anything undecided
 * is a refusal (401), and the reason never shows the credential.
 */
import { nowSec } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import type { UserRecord } from "./access_records.ts";
import type { AccessState } from "./access_state.ts";
import { parseToken, secretMatches } from "./admin_token.ts";
import {
  type Credential,
  type CredentialPlace,
  findCredential,
  type RequestHeaders,
} from "./credentials.ts";
import type { EndingCredentials } from "./ending_credentials.ts";
import type { JwtClaims, JwtVerifier } from "./jwt.ts";
import { type Principal, TokenPrincipal, UserPrincipal } from "./principal.ts";
import { roleWords, sharedRoles } from "./roles.ts";
import type { Sessions } from "./sessions.ts";

export interface Authenticator {
  /**
   * Who sends a request with these headers (names in lower case). At once where
   * nothing needs computing, else a promise. Throws or rejects with a
   * {@linkcode ClientError} (401) whose message is the reason.
   */
  authenticate(
    headers: RequestHeaders,
    place?: CredentialPlace,
  ): Principal | Promise<Principal>;
}

export interface CredentialAuthenticatorOptions {
  readonly verifier: JwtVerifier;
  readonly access: AccessState;
  readonly sessions: Sessions;
  /** The table of users says who a token's user is and what roles it has. */
  readonly validateUser: boolean;
  /**
   * Looks whether another process changed the control plane; asked for tokens that
   * are not known, since the command line makes tokens as well.
   */
  readonly refresh: () => Promise<void>;
  /** Told of every credential in use that ends before long. */
  readonly endings?: EndingCredentials;
  readonly now?: () => number;
}

/** Accepts what is signed by our key, known to the control plane, or a session of ours. */
export class CredentialAuthenticator implements Authenticator {
  readonly #options: CredentialAuthenticatorOptions;
  readonly #now: () => number;
  /** Principals by what they were made from; gone with it. */
  readonly #byClaims = new WeakMap<JwtClaims, ClaimsPrincipal>();
  readonly #byUser = new WeakMap<UserRecord, UserPrincipal>();

  constructor(options: CredentialAuthenticatorOptions) {
    this.#options = options;
    this.#now = options.now ?? nowSec;
  }

  authenticate(
    headers: RequestHeaders,
    place: CredentialPlace = "metric",
  ): Principal | Promise<Principal> {
    const credential = findCredential(headers, place);
    if (credential === undefined) {
      throw refusal(
        place === "session" || place === "secure-session"
          ? "log in first"
          : "Use JWT Authentication",
      );
    }
    switch (credential.kind) {
      case "jwt": {
        const claims = this.#options.verifier.verify(credential.token);
        return claims instanceof Promise
          ? claims.then((found) => this.#ofClaims(found))
          : this.#ofClaims(claims);
      }
      case "token":
        return this.#ofToken(credential);
      case "session":
        return this.#ofUser(
          this.#options.sessions.check(credential.cookie).user,
        );
    }
  }

  /**
   * The user of a token. The table decides alone with `validate-user`; otherwise it
   * narrows what the token says of a user it knows. A `user` claim is no subject.
   */
  #ofClaims(claims: JwtClaims): UserPrincipal {
    const { access, validateUser, endings } = this.#options;
    const user = access.user(claims.name);
    if (claims.isSubject) refuseDeleted(claims, access, user);
    endings?.note(claims.name, claims.expiresSec);
    if (validateUser) {
      if (user === undefined) {
        throw refusal("the user of the token is not known here");
      }
      return claims.isSubject ? this.#ofUser(user) : new UserPrincipal({
        name: user.username,
        roles: user.roles,
        projects: user.projects,
        isSubject: false,
      }, access);
    }
    const grantor = claims.isSubject ? user : undefined;
    const known = this.#byClaims.get(claims);
    if (known !== undefined && known.user === grantor) return known.principal;
    const principal = new UserPrincipal(
      grantor === undefined ? claims : {
        name: claims.name,
        roles: sharedRoles(roleWords(claims.roles), grantor.roles),
        projects: grantor.projects,
      },
      access,
    );
    this.#byClaims.set(claims, { user: grantor, principal });
    return principal;
  }

  #ofUser(user: UserRecord): UserPrincipal {
    const known = this.#byUser.get(user);
    if (known !== undefined) return known;
    const principal = new UserPrincipal(
      { name: user.username, roles: user.roles, projects: user.projects },
      this.#options.access,
    );
    this.#byUser.set(user, principal);
    return principal;
  }

  #ofToken(
    credential: Extract<Credential, { kind: "token" }>,
  ): Principal | Promise<Principal> {
    const parsed = parseToken(credential.token);
    if (parsed === undefined) throw refusal("that is no token");
    const find = () =>
      this.#findToken(parsed.name, parsed.secret, credential.basicUser);
    const found = find();
    if (found !== undefined) return found;
    return this.#options.refresh().then(() => {
      const later = find();
      if (later !== undefined) return later;
      throw refusal("the token is unknown, expired or revoked");
    });
  }

  #findToken(
    name: string,
    secret: string,
    basicUser: string,
  ): TokenPrincipal | undefined {
    const { access, endings } = this.#options;
    const token = access.token(name);
    if (token === undefined || !secretMatches(secret, token.secretHash)) {
      return undefined;
    }
    const policy = access.policy(token.policy);
    const now = this.#now();
    if (
      !token.active || now >= token.expiresSec || policy === undefined ||
      !policy.record.active || now >= policy.record.expiresSec
    ) throw refusal("the token is unknown, expired or revoked");
    endings?.note(name, Math.min(token.expiresSec, policy.record.expiresSec));
    return new TokenPrincipal(name, policy, basicUser, access);
  }
}

/** What was made of claims, and of which state of the user. */
interface ClaimsPrincipal {
  readonly user: UserRecord | undefined;
  readonly principal: UserPrincipal;
}

/** A token ends with the account it was made for. */
function refuseDeleted(
  { name, issuedSec = 0 }: JwtClaims,
  access: AccessState,
  user: UserRecord | undefined,
): void {
  const deletedSec = access.deletedSec(name);
  if (deletedSec === undefined) return;
  if (user !== undefined && issuedSec > deletedSec) return;
  throw refusal("the user of the token was deleted");
}

/** `main.disable-authentication`: everybody is the same administrator. */
export class OpenDoor implements Authenticator {
  readonly #anonymous: Principal;

  constructor(access: AccessState) {
    this.#anonymous = new UserPrincipal(
      { name: "anonymous", roles: ["admin", "api"] },
      access,
    );
  }

  authenticate(): Principal {
    return this.#anonymous;
  }
}

function refusal(reason: string): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason);
}
