/**
 * Session cookies: signed, not encrypted. What a session may do is looked up on
 * every request, so the cookie carries only who, until when, and which session.
 * Main thread.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { nowSec } from "../clock.ts";
import { ClientError } from "../errors.ts";
import type { UserRecord } from "./access_records.ts";
import type { AccessState } from "./access_state.ts";

/** What the cookie says, once its signature was found good. */
export interface Session {
  readonly id: string;
  readonly username: string;
  readonly expiresSec: number;
}

interface CookieContent {
  readonly i: string;
  readonly u: string;
  readonly f: string;
  readonly e: number;
  /** Of a user whom only a token vouched for: what it said. */
  readonly t?: { readonly roles: string[]; readonly projects: string[] };
}

/** Of users who are in no table. */
const NO_FINGERPRINT = "";

const ID_BYTES = 16;
const COOKIE_CHARS_MAX = 4096;
const SWEEP_MIN = 1024;

export class Sessions {
  readonly #key: Uint8Array;
  readonly #maxAgeSec: number;
  readonly #access: AccessState;
  readonly #now: () => number;
  /** Sessions that were ended before their time: id, and when it no longer matters. */
  readonly #revoked: Map<string, number>;
  /** So many of them are looked through for those that matter no longer. */
  #sweepAt = SWEEP_MIN;

  constructor(options: {
    /** HMAC key, at least 32 bytes. */
    readonly key: Uint8Array;
    readonly maxAgeSec: number;
    readonly access: AccessState;
    readonly revoked?: Iterable<readonly [string, number]>;
    readonly now?: () => number;
  }) {
    this.#key = options.key;
    this.#maxAgeSec = options.maxAgeSec;
    this.#access = options.access;
    this.#revoked = new Map(options.revoked ?? []);
    this.#now = options.now ?? nowSec;
  }

  get maxAgeSec(): number {
    return this.#maxAgeSec;
  }

  /** The value of the cookie of a new session. */
  create(user: Pick<UserRecord, "username" | "fingerprint">): string {
    return this.#write({
      ...this.#begin(user.username),
      f: user.fingerprint,
    });
  }

  /** The same for a user who is in no table, with what the token of the login says. */
  createOfToken(user: Omit<UserRecord, "fingerprint">): string {
    return this.#write({
      ...this.#begin(user.username),
      f: NO_FINGERPRINT,
      t: { roles: [...user.roles], projects: [...user.projects] },
    });
  }

  #begin(username: string): Pick<CookieContent, "i" | "u" | "e"> {
    return {
      i: randomBytes(ID_BYTES).toString("base64url"),
      u: username,
      e: Math.floor(this.#now()) + this.#maxAgeSec,
    };
  }

  #write(content: CookieContent): string {
    const text = Buffer.from(JSON.stringify(content)).toString("base64url");
    return `${text}.${this.#sign(text)}`;
  }

  /** Throws a {@linkcode ClientError} (401) for a cookie that is not, or no longer, good. */
  check(cookie: string): { session: Session; user: UserRecord } {
    const content = this.#open(cookie);
    if (content === undefined) throw refusal("the session is not valid");
    const expired = this.#now() >= content.e || this.#revoked.has(content.i);
    if (expired) throw refusal("the session has ended");
    const user = this.#userOf(content);
    if (user === undefined) {
      throw refusal("the user of the session is not there any more");
    }
    return {
      session: { id: content.i, username: content.u, expiresSec: content.e },
      user,
    };
  }

  /** Ends a session before its time. */
  revoke(session: Session): void {
    if (this.#revoked.size >= this.#sweepAt) this.#sweep();
    this.#revoked.set(session.id, session.expiresSec);
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, expiresSec] of this.#revoked) {
      if (expiresSec <= now) this.#revoked.delete(id);
    }
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#revoked.size);
  }

  /** What the table says counts; who was never in it is what the token said. */
  #userOf({ u, f, t }: CookieContent): UserRecord | undefined {
    const user = this.#access.user(u);
    if (user !== undefined) {
      return t !== undefined || user.fingerprint === f ? user : undefined;
    }
    return t === undefined
      ? undefined
      : { username: u, fingerprint: NO_FINGERPRINT, ...t };
  }

  #open(cookie: string): CookieContent | undefined {
    const dot = cookie.lastIndexOf(".");
    if (dot < 1 || cookie.length > COOKIE_CHARS_MAX) return undefined;
    const text = cookie.slice(0, dot);
    const given = Buffer.from(cookie.slice(dot + 1));
    const expected = Buffer.from(this.#sign(text));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return undefined;
    }
    // Signed by us, so it is what `create` wrote.
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}

function refusal(reason: string): ClientError {
  return new ClientError("E_UNAUTHENTICATED", reason);
}
