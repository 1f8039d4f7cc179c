/**
 * Finds out whether somebody is who they say, by token or by password, and gives
 * the session they get. Main thread.
 */
import type { RequestHeaders } from "../auth/credentials.ts";
import type { AccessState } from "../auth/mod.ts";
import { ClientError } from "../errors.ts";
import { networkOf } from "./login_limiter.ts";
import { hashPassword, verifyNothing, verifyPassword } from "./passwords.ts";
import type { AccountServices } from "./services.ts";
import type { TokenUser } from "./token_login.ts";
import { AUTH_SOURCE } from "./user_store.ts";

/** Passwords of one network that are checked, or wait for it, at a time. */
const CHECKS_MAX = 4;

export interface LoginAttempt {
  readonly headers: RequestHeaders;
  readonly loginToken: string | null;
  readonly username: string;
  readonly password: string;
  /** Address of the client. */
  readonly from: string;
}

export interface LoginRules {
  /** The table of users must know who logs in by token, and says their roles. */
  readonly validateUser: boolean;
  /** A login by token makes a missing user. */
  readonly syncUser: boolean;
  /** A login by token changes a user to what it says. */
  readonly updateUser: boolean;
}

export class Login {
  readonly #accounts: Omit<AccountServices, "login">;
  readonly #access: AccessState;
  readonly #rules: LoginRules;
  /** Passwords being checked, by the network they came from. */
  readonly #checking = new Map<string, number>();

  constructor(
    accounts: Omit<AccountServices, "login">,
    access: AccessState,
    rules: LoginRules,
  ) {
    this.#accounts = accounts;
    this.#access = access;
    this.#rules = rules;
  }

  /**
   * The cookie of a new session. Rejects with a {@linkcode ClientError}: 401 for who
   * is not who they say, with `retryAfterSec` for who tried too often.
   */
  async enter(attempt: LoginAttempt): Promise<string> {
    const byToken = this.#accounts.tokenLogin.find(
      attempt.headers,
      attempt.loginToken,
    );
    if (byToken !== undefined) return await this.#byToken(await byToken);
    return await this.#inTurn(
      networkOf(attempt.from),
      () => this.#byPassword(attempt),
    );
  }

  /** So that one who tries many names at once leaves room for the others. */
  async #inTurn<Result>(
    network: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const others = this.#checking.get(network) ?? 0;
    if (others >= CHECKS_MAX) {
      throw new ClientError(
        "E_OVERLOAD",
        "too many passwords from there are being checked",
      );
    }
    this.#checking.set(network, others + 1);
    try {
      return await work();
    } finally {
      const left = this.#checking.get(network)! - 1;
      if (left > 0) this.#checking.set(network, left);
      else this.#checking.delete(network);
    }
  }

  async #byPassword(
    { username, password, from }: LoginAttempt,
  ): Promise<string> {
    const { limiter, users } = this.#accounts;
    const waitSec = limiter.waitSec(from, username);
    if (waitSec > 0) {
      throw new ClientError("E_UNAUTHENTICATED", "too many attempts", {
        retryAfterSec: waitSec,
      });
    }
    // Counted before the slow part, so that attempts at the same time count too.
    limiter.countFailure(from, username);
    const user = await users.get(username);
    const hash = user?.authSource === AUTH_SOURCE.local
      ? user.passwordHash
      : null;
    if (hash === null) await verifyNothing(password);
    const fits = hash !== null && await verifyPassword(password, hash);
    if (!fits) {
      throw new ClientError(
        "E_UNAUTHENTICATED",
        "user name and password do not belong together",
      );
    }
    limiter.forget(from, username);
    if (!hash.startsWith("$scrypt$")) {
      await users.setPasswordHash(username, await hashPassword(password));
    }
    return this.#open(username);
  }

  async #byToken(token: TokenUser): Promise<string> {
    const { users, sessions } = this.#accounts;
    const known = await users.get(token.username);
    if (this.#rules.validateUser) {
      if (known !== undefined) return this.#open(token.username);
      throw new ClientError(
        "E_UNAUTHENTICATED",
        "the user of the token is not known here",
      );
    }
    if (known === undefined && !this.#rules.syncUser) {
      return sessions.createOfToken(token);
    }
    if (known === undefined || this.#rules.updateUser) {
      await users.putOfToken(token);
    }
    return this.#open(token.username);
  }

  #open(username: string): string {
    const user = this.#access.user(username);
    if (user === undefined) {
      throw new ClientError("E_UNAUTHENTICATED", "the user is gone");
    }
    return this.#accounts.sessions.create(user);
  }
}
