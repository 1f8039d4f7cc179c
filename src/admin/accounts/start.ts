/** Puts the services of users and sessions together. Main thread, at start. */
import type { AccessState } from "../../access/mod.ts";
import type { StartedAuthentication } from "../../access/start.ts";
import type { Config } from "../../config/settings/mod.ts";
import { FAILURE_STEP_MS, Login } from "./login.ts";
import { LoginLimiter } from "./login_limiter.ts";
import type {
  AccountServices,
  SessionStore,
  UserSettings,
} from "./services.ts";
import { TokenLogin } from "./token_login.ts";
import type { UserStore } from "./user_store.ts";
import { Users } from "./users.ts";

export const NOTICE_FILE = "./var/notice.txt";

export interface AccountOptions {
  readonly config: Pick<Config, "auth"> & {
    readonly main: Pick<Config["main"], "systemd-unit">;
  };
  readonly access: AccessState;
  readonly authentication: StartedAuthentication;
  readonly store: UserStore;
  readonly settings: UserSettings;
  readonly sessionStore: SessionStore;
  /** Takes a change of users over into `access`. */
  readonly changed: () => Promise<void>;
  readonly noticeFile?: string;
  /** Replaces {@linkcode FAILURE_STEP_MS}; for tests. */
  readonly failureStepMs?: number;
  /** `CROSS_LOGIN_JWT_HS512_KEY` and `CROSS_LOGIN_JWT_PUBLIC_KEY`. */
  readonly sharedKey?: string | undefined;
  readonly issuerKey?: string | undefined;
}

/** Throws a `KeyError` for a key that cannot be used. */
export async function createAccounts(
  options: AccountOptions,
): Promise<AccountServices> {
  const { jwts } = options.config.auth;
  const { sessions, keys } = options.authentication;
  const services = {
    users: new Users(options.store, options.changed),
    sessions,
    sessionStore: options.sessionStore,
    limiter: new LoginLimiter(),
    tokenLogin: await TokenLogin.create({
      sharedKey: options.sharedKey,
      issuerKey: options.issuerKey,
      ownKey: keys?.publicKey,
      cookieName: jwts["cookie-name"],
      trustedIssuer: jwts["trusted-issuer"],
    }),
    settings: options.settings,
    keys,
    tokenMaxAgeSec: jwts["max-age"],
    noticeFile: options.noticeFile ?? NOTICE_FILE,
    systemdUnit: options.config.main["systemd-unit"],
  };
  const login = new Login(services, options.access, {
    validateUser: jwts["validate-user"],
    syncUser: jwts["sync-user-on-login"],
    updateUser: jwts["update-user-on-login"],
    failureStepMs: options.failureStepMs ?? FAILURE_STEP_MS,
  });
  return { ...services, login };
}
