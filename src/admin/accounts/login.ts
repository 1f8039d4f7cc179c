/**
 * Finds out whether somebody is who they say, by token or by password, and gives
 * the session they get. Main thread.
 */
import type { RequestHeaders } from "../../access/credentials.ts";
import type { AccessState } from "../../access/mod.ts";
import { NO_FINGERPRINT, type StartedSession } from "../../access/sessions.ts";
import { monotonicMs } from "../../base/clock.ts";
import { ClientError } from "../../base/errors.ts";
import { networkOf } from "./login_limiter.ts";
import { LoginTurns } from "./login_turns.ts";
import {
  hashPassword,
  isCurrentHash,
  verifyNothing,
  verifyPassword,
} from "./passwords.ts";
import type { AccountServices } from "./services.ts";
import type { TokenUser } from "./token_login.ts";
import { AUTH_SOURCE } from "./user_store.ts";

/**
 * Failures are answered at full steps of this, whatever the check took: how long it
 * takes tells whether a name is known and of which kind its hash is.
 */
export const FAILURE_STEP_MS = 1000;

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
  readonly failureStepMs: number;
}

export class Login {
  readonly #accounts: Omit<AccountServices, "login">;
  readonly #access: AccessState;
  readonly #rules: LoginRules;
  readonly #turns = new LoginTurns();

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
   * A new session. Rejects with a {@linkcode ClientError}: 401 for who is not who they
   * say, with `retryAfterSec` for who tried too often; 503 for who waited too long for
   * others of the same network.
   */
  async enter(attempt: LoginAttempt): Promise<StartedSession> {
    const byToken = this.#accounts.tokenLogin.find(
      attempt.headers,
      attempt.loginToken,
    );
    const started = byToken === undefined
      ? await this.#byPassword(attempt)
      : await this.#byToken(await byToken, attempt.from);
    const { sessionStore } = this.#accounts;
    for (const { id, expiresSec } of started.ended) {
      await sessionStore.end(id, expiresSec);
    }
    await sessionStore.begin(started.session);
    return started;
  }

  async #byPassword(attempt: LoginAttempt): Promise<StartedSession> {
    const { username, password, from } = attempt;
    const startMs = monotonicMs();
    const network = networkOf(from);
    const fits = await this.#turns.run(
      network,
      () => this.#checkPassword(username, password, from),
    );
    if (fits) {
      return this.#accounts.sessions.create({
        user: this.#present(username),
        from,
      });
    }
    const stepMs = this.#rules.failureStepMs;
    await pause(stepMs - (monotonicMs() - startMs) % stepMs);
    throw refusal("user name and password do not belong together");
  }

  async #checkPassword(
    username: string,
    password: string,
    from: string,
  ): Promise<boolean> {
    const { limiter, users } = this.#accounts;
    const waitSec = limiter.waitSec(from, username);
    if (waitSec > 0) {
      throw new ClientError("E_UNAUTHENTICATED", "too many attempts", {
        retryAfterSec: waitSec,
      });
    }
    const user = await users.get(username);
    const hash = user?.authSource === AUTH_SOURCE.local
      ? user.passwordHash
      : null;
    if (hash === null) await verifyNothing(password);
    const fits = hash !== null && await verifyPassword(password, hash);
    if (!fits) {
      limiter.countFailure(from, username);
      return false;
    }
    limiter.forget(from, username);
    if (!isCurrentHash(hash)) {
      await users.setPasswordHash(username, await hashPassword(password));
    }
    return true;
  }

  async #byToken(token: TokenUser, from: string): Promise<StartedSession> {
    const { users, sessions } = this.#accounts;
    const { username, expiresSec: untilSec } = token;
    const known = await users.get(username);
    if (known === undefined) this.#refuseUnknown(username);
    if (this.#rules.validateUser) {
      return sessions.create({ user: this.#present(username), from, untilSec });
    }
    // Its password is what this account is entered by, not what others vouch for.
    if (known?.authSource === AUTH_SOURCE.local) {
      throw refusal(
        "the user of the token has a password here: log in with it",
      );
    }
    const { roles, projects } = token;
    if (known === undefined && !this.#rules.syncUser) {
      return sessions.create({
        user: { username, fingerprint: NO_FINGERPRINT },
        from,
        untilSec,
        grant: { roles, projects },
      });
    }
    if (known === undefined || this.#rules.updateUser) {
      await users.putOfToken(token);
    }
    // Projects are those of the table.
    return sessions.create({
      user: this.#present(username),
      from,
      untilSec,
      grant: { roles, projects: [] },
    });
  }

  #refuseUnknown(username: string): void {
    if (this.#access.deletedSec(username) !== undefined) {
      throw refusal("the user of the token was deleted");
    }
    if (this.#rules.validateUser) {
      throw refusal("the user of the token is not known here");
    }
  }

  #present(username: string) {
    const user = this.#access.user(username);
    if (user === undefined) throw refusal("the user is gone");
    return user;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function refusal(reason: string): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason);
}
