/**
 * The sessions that have begun and not ended, by user: what people see and end.
 * Bounded: of too many the oldest ends. Main thread.
 */

/** Times in Unix seconds. */
export interface Session {
  readonly id: string;
  readonly username: string;
  readonly beganSec: number;
  readonly expiresSec: number;
  /** Address of the client that logged in. */
  readonly from: string;
}

/** Of one user. */
export const SESSIONS_OF_USER_MAX = 50;
const SESSIONS_MAX = 100_000;

export class OpenSessions {
  /** Oldest first. */
  readonly #all = new Map<string, Session>();
  readonly #byUser = new Map<string, Set<Session>>();

  /** Those that have to end to make room. */
  add(session: Session, nowSec: number): Session[] {
    this.#forgetExpired(nowSec);
    this.#all.set(session.id, session);
    const own = this.#byUser.get(session.username) ?? new Set();
    this.#byUser.set(session.username, own.add(session));
    const ended: Session[] = [];
    const [oldestOwn] = own;
    if (own.size > SESSIONS_OF_USER_MAX) ended.push(oldestOwn!);
    const [oldest] = this.#all.values();
    if (this.#all.size > SESSIONS_MAX && ended.length === 0) {
      ended.push(oldest!);
    }
    for (const { id } of ended) this.remove(id);
    return ended;
  }

  get(id: string): Session | undefined {
    return this.#all.get(id);
  }

  /** Of a user, oldest first. */
  of(username: string, nowSec: number): Session[] {
    return [...this.#byUser.get(username) ?? []].filter(({ expiresSec }) =>
      expiresSec > nowSec
    );
  }

  remove(id: string): void {
    const session = this.#all.get(id);
    if (session === undefined) return;
    this.#all.delete(id);
    const own = this.#byUser.get(session.username);
    own?.delete(session);
    if (own?.size === 0) this.#byUser.delete(session.username);
  }

  /** Sessions of logins last equally long but for those by token: the first few go. */
  #forgetExpired(nowSec: number): void {
    for (const { id, expiresSec } of this.#all.values()) {
      if (expiresSec > nowSec) return;
      this.remove(id);
    }
  }
}
