/** What the routes of users and sessions work with. Main thread. */
import type { Keys } from "../../access/keys.ts";
import type { Session, Sessions } from "../../access/sessions.ts";
import type { Login } from "./login.ts";
import type { LoginLimiter } from "./login_limiter.ts";
import type { TokenLogin } from "./token_login.ts";
import type { Users } from "./users.ts";

/** Settings that users make for themselves; values are JSON texts. */
export interface UserSettings {
  set(username: string, key: string, value: string): Promise<void>;
}

/** Sessions, kept over a restart. */
export interface SessionStore {
  begin(session: Session): Promise<void>;
  /** Before its time; `expiresSec`: when that would have been. */
  end(id: string, expiresSec: number): Promise<void>;
}

export interface AccountServices {
  readonly login: Login;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly sessionStore: SessionStore;
  readonly limiter: LoginLimiter;
  readonly tokenLogin: TokenLogin;
  readonly settings: UserSettings;
  /** `undefined` where authentication is off. */
  readonly keys: Keys | undefined;
  /** `auth.jwts.max-age`: of tokens made here, 0: no end. */
  readonly tokenMaxAgeSec: number | undefined;
  /** Text of the operator that pages show. */
  readonly noticeFile: string;
  /** Whose lines of the journal are shown. */
  readonly systemdUnit: string;
}
