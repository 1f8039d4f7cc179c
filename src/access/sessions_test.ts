import assert from "node:assert/strict";
import { AccessState } from "./access_state.ts";
import { OpenSessions, SESSIONS_OF_USER_MAX } from "./open_sessions.ts";
import { Sessions } from "./sessions.ts";

const EVE = {
  username: "eve",
  roles: ["user"],
  projects: [],
  fingerprint: "f",
};

Deno.test("cookies of a previous session key are good, of another are not", () => {
  const access = new AccessState();
  access.replace({ instances: [], policies: [], tokens: [], users: [EVE] });
  const key = (byte: number) => new Uint8Array(32).fill(byte);
  const make = (present: number, previous: number[] = []) =>
    new Sessions({
      key: key(present),
      previousKeys: previous.map(key),
      maxAgeSec: 60,
      access,
    });
  const { cookie } = make(1).create({ user: EVE, from: "" });
  assert.equal(make(2, [1]).check(cookie).user.username, "eve");
  assert.equal(make(2, [3, 1]).check(cookie).user.username, "eve");
  assert.throws(() => make(2, [3]).check(cookie), /not valid/);
});

Deno.test("of too many sessions of one user the oldest ends", () => {
  const access = new AccessState();
  access.replace({ instances: [], policies: [], tokens: [], users: [EVE] });
  const sessions = new Sessions({
    key: new Uint8Array(32),
    maxAgeSec: 60,
    access,
  });
  const first = sessions.create({ user: EVE, from: "" });
  for (let i = 1; i < SESSIONS_OF_USER_MAX; i++) {
    assert.deepEqual(sessions.create({ user: EVE, from: "" }).ended, []);
  }
  sessions.check(first.cookie);
  const { ended } = sessions.create({ user: EVE, from: "" });
  assert.deepEqual(ended.map(({ id }) => id), [first.session.id]);
  assert.throws(() => sessions.check(first.cookie), /has ended/);
  assert.equal(sessions.of("eve").length, SESSIONS_OF_USER_MAX);
});

Deno.test("OpenSessions forgets those whose time is over", () => {
  const open = new OpenSessions();
  const session = (id: string, expiresSec: number) => ({
    ...{ id, username: "eve", beganSec: 0, expiresSec, from: "" },
  });
  open.add(session("a", 10), 0);
  open.add(session("b", 20), 0);
  assert.deepEqual(open.of("eve", 10).map(({ id }) => id), ["b"]);
  open.add(session("c", 30), 15);
  assert.equal(open.get("a"), undefined);
  assert.deepEqual(open.of("nobody", 0), []);
});
