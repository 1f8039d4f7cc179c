/**
 * Session cookies: signed, not encrypted. What a session may do is looked up on
 * every request, so the cookie carries only who, until when, and which session.
 * A session is never worth more, or longer, than what it was made from. Main thread.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { nowSec } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import type { UserRecord } from "./access_records.ts";
import type { AccessState } from "./access_state.ts";
import { OpenSessions, type Session } from "./open_sessions.ts";
import { sharedRoles } from "./roles.ts";

export type { Session } from "./open_sessions.ts";

/** What the token of a login said of its user. */
export interface TokenGrant {
  readonly roles: readonly string[];
  readonly projects: readonly string[];
}

export interface SessionStart {
  readonly user: Pick<UserRecord, "username" | "fingerprint">;
  /** Address of the client. */
  readonly from: string;
  /** A login by token: the session ends with it, Unix seconds. */
  readonly untilSec?: number;
  /** It vouched for no more than this. */
  readonly grant?: TokenGrant;
}

export interface StartedSession {
  readonly session: Session;
  /** The value of its cookie. */
  readonly cookie: string;
  /** Sessions of the same user that ended, since there were too many. */
  readonly ended: readonly Session[];
}

interface CookieContent {
  readonly i: string;
  readonly u: string;
  /** Of the account; `""`: the user was in no table. */
  readonly f: string;
  /** When it began, and when it ends. */
  readonly b: number;
  readonly e: number;
  readonly t?: TokenGrant;
}

/** Of users who are in no table. */
export const NO_FINGERPRINT = "";

const ID_BYTES = 16;
const COOKIE_CHARS_MAX = 4096;
/** Browsers count name and attributes, too. */
const NEW_COOKIE_CHARS_MAX = 3900;
const SWEEP_MIN = 1024;

export class Sessions {
  /** The present one first. */
  readonly #keys: readonly Uint8Array[];
  readonly #maxAgeSec: number;
  readonly #access: AccessState;
  readonly #now: () => number;
  readonly #open = new OpenSessions();
  /** Sessions that were ended before their time: id, and when it no longer matters. */
  readonly #revoked: Map<string, number>;
  /** So many of them are looked through for those that matter no longer. */
  #sweepAt = SWEEP_MIN;

  constructor(options: {
    /** HMAC key, at least 32 bytes. */
    readonly key: Uint8Array;
    /** Cookies signed with one of these are good as well. */
    readonly previousKeys?: readonly Uint8Array[];
    readonly maxAgeSec: number;
    readonly access: AccessState;
    readonly revoked?: Iterable<readonly [string, number]>;
    /** Sessions that began before this start of the server, oldest first. */
    readonly open?: Iterable<Session>;
    readonly now?: () => number;
  }) {
    this.#keys = [options.key, ...options.previousKeys ?? []];
    this.#maxAgeSec = options.maxAgeSec;
    this.#access = options.access;
    this.#revoked = new Map(options.revoked ?? []);
    this.#now = options.now ?? nowSec;
    for (const session of options.open ?? []) {
      this.#open.add(session, this.#now());
    }
  }

  /**
   * A new session. Throws a {@linkcode ClientError} (401) where a token says more than
   * a cookie can hold, or has expired.
   */
  create({ user, from, untilSec, grant }: SessionStart): StartedSession {
    const beganSec = Math.floor(this.#now());
    const session: Session = {
      id: randomBytes(ID_BYTES).toString("base64url"),
      username: user.username,
      beganSec,
      expiresSec: Math.min(
        beganSec + this.#maxAgeSec,
        Math.floor(untilSec ?? Infinity),
      ),
      from,
    };
    if (session.expiresSec <= beganSec) throw refusal("the token is expired");
    const cookie = this.#write({
      i: session.id,
      u: session.username,
      f: user.fingerprint,
      b: beganSec,
      e: session.expiresSec,
      ...(grant ? { t: grant } : {}),
    });
    if (cookie.length > NEW_COOKIE_CHARS_MAX) {
      throw refusal(
        `the token has too many roles or projects: its session would have ${cookie.length} characters, at most ${NEW_COOKIE_CHARS_MAX} fit into a cookie`,
      );
    }
    const ended = this.#open.add(session, beganSec);
    for (const old of ended) this.#noteRevoked(old);
    return { session, cookie, ended };
  }

  /** The open sessions of a user, oldest first. */
  of(username: string): Session[] {
    return this.#open.of(username, this.#now());
  }

  /** Throws a {@linkcode ClientError} (401) for a cookie that is not, or no longer, good. */
  check(cookie: string): { session: Session; user: UserRecord } {
    const content = this.#read(cookie);
    if (content === undefined) throw refusal("the session is not valid");
    const expired = this.#now() >= content.e || this.#revoked.has(content.i);
    if (expired) throw refusal("the session has ended");
    const user = this.#userOf(content);
    if (user === undefined) {
      throw refusal("the user of the session is not there any more");
    }
    const { i: id, u: username, b: beganSec, e: expiresSec } = content;
    const session = this.#open.get(id) ??
      { id, username, beganSec, expiresSec, from: "" };
    return { session, user };
  }

  /** Ends a session before its time. */
  revoke(session: Pick<Session, "id" | "expiresSec">): void {
    this.#open.remove(session.id);
    this.#noteRevoked(session);
  }

  #noteRevoked({ id, expiresSec }: Pick<Session, "id" | "expiresSec">): void {
    if (this.#revoked.size >= this.#sweepAt) this.#sweep();
    this.#revoked.set(id, expiresSec);
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, expiresSec] of this.#revoked) {
      if (expiresSec <= now) this.#revoked.delete(id);
    }
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#revoked.size);
  }

  /** The table and what the token said: what both have in common. */
  #userOf({ u, f, b, t }: CookieContent): UserRecord | undefined {
    const user = this.#access.user(u);
    const deletedSec = this.#access.deletedSec(u);
    if (deletedSec !== undefined && (user === undefined || b <= deletedSec)) {
      return undefined;
    }
    const isOfAccount = f !== NO_FINGERPRINT;
    if (user === undefined) {
      return t === undefined || isOfAccount
        ? undefined
        : { username: u, fingerprint: NO_FINGERPRINT, ...t };
    }
    if (isOfAccount && user.fingerprint !== f) return undefined;
    if (t === undefined) return isOfAccount ? user : undefined;
    return { ...user, roles: sharedRoles(t.roles, user.roles) };
  }

  #write(content: CookieContent): string {
    const text = Buffer.from(JSON.stringify(content)).toString("base64url");
    return `${text}.${sign(text, this.#keys[0]!)}`;
  }

  #read(cookie: string): CookieContent | undefined {
    const dot = cookie.lastIndexOf(".");
    if (dot < 1 || cookie.length > COOKIE_CHARS_MAX) return undefined;
    const text = cookie.slice(0, dot);
    const given = Buffer.from(cookie.slice(dot + 1));
    const isOurs = this.#keys.some((key) => {
      const expected = Buffer.from(sign(text, key));
      return given.length === expected.length &&
        timingSafeEqual(given, expected);
    });
    if (!isOurs) return undefined;
    // Signed by us, so it is what `create` wrote, of this version or of one before
    // which did not say when the session began.
    const content: CookieContent = JSON.parse(
      Buffer.from(text, "base64url").toString("utf8"),
    );
    return typeof content.b === "number" ? content : undefined;
  }
}

function sign(text: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(text).digest("base64url");
}

function refusal(reason: string): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason);
}
