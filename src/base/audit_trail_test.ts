import assert from "node:assert/strict";
import {
  type AuditedRefusal,
  type AuditFile,
  AuditTrail,
} from "./audit_trail.ts";
import { Log } from "./log.ts";

const CHANGE = {
  what: "createUser",
  who: "boss",
  from: "192.0.2.1",
  object: "user/eve role=admin",
  outcome: "done",
} as const;
const REFUSAL: AuditedRefusal = {
  reason: "unauthenticated",
  from: "192.0.2.9",
  route: "query",
  message: "token is expired",
};

/** A trail on a log of the least level; its lines. */
function setUp(file = "", open?: (path: string) => AuditFile) {
  const lines: string[] = [];
  const log = new Log(
    { level: "crit", dates: false, priorities: true },
    (line) => void lines.push(line),
  );
  const errors: string[] = [];
  const trail = new AuditTrail({
    log: {
      audit: (message, fields) => log.audit(message, fields),
      err: (message) => void errors.push(message),
    },
    file,
    ...(open ? { open } : {}),
  });
  return { trail, lines, errors };
}

Deno.test("AuditTrail writes changes on the log whatever its level", () => {
  const { trail, lines } = setUp();
  trail.change(CHANGE);
  trail.close();
  assert.deepEqual(lines, [
    '<5>AUDIT changed what=createUser who=boss from=192.0.2.1 object="user/eve role=admin" outcome=done\n',
  ]);
});

Deno.test("AuditTrail writes the first refusal of a kind, and counts what comes again", () => {
  const { trail, lines } = setUp();
  for (let i = 0; i < 5; i++) trail.refused({ ...REFUSAL, claims: `u${i}` });
  trail.refused({ ...REFUSAL, route: "write" });
  trail.refused({ ...REFUSAL, who: "eve" });
  assert.equal(lines.length, 3);
  assert.match(
    lines[0]!,
    /AUDIT access refused reason=unauthenticated claims=u0 from=192.0.2.9 route=query message="token is expired"/,
  );
  assert.match(lines[2]!, /who=eve/);
  trail.tick();
  assert.equal(lines.length, 4);
  assert.match(lines[3]!, /refused again .*route=query times=4/);
  trail.tick();
  assert.equal(lines.length, 4);
  trail.refused(REFUSAL);
  assert.equal(lines.length, 5, "a line of its own in the next minute");
  trail.close();
});

Deno.test("AuditTrail writes a bounded number of lines, of bounded length", () => {
  const { trail, lines } = setUp();
  for (let i = 0; i < 5000; i++) {
    trail.refused({ ...REFUSAL, from: `10.0.${i >> 8}.${i & 255}` });
  }
  assert.equal(lines.length, 1000);
  trail.tick();
  assert.match(lines.at(-1)!, /refused to others times=4000/);
  trail.refused({ ...REFUSAL, who: "x".repeat(10_000) });
  trail.change({ ...CHANGE, object: "y".repeat(10_000) });
  for (const line of lines) assert.ok(line.length < 1000);
  trail.close();
});

Deno.test("AuditTrail appends to its file, for its owner alone, and opens it again", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/audit.log`;
  try {
    const { trail, errors } = setUp(file);
    trail.change(CHANGE);
    await Deno.rename(file, `${file}.1`);
    trail.change({ ...CHANGE, object: "moved" });
    trail.reopen();
    trail.change({ ...CHANGE, object: "next" });
    trail.close();
    const [old, next] = await Promise.all(
      [`${file}.1`, file].map((path) => Deno.readTextFile(path)),
    );
    assert.match(old!, /^20\S+Z AUDIT changed .*\n20\S+ AUDIT .*=moved /);
    assert.match(next!, /^20\S+Z AUDIT changed .*object=next outcome=done\n$/);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.deepEqual(errors, []);
    assert.throws(() => setUp(`${directory}/none/audit.log`));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("AuditTrail says once that its file cannot be written, and goes on", () => {
  const { trail, lines, errors } = setUp("full", () => ({
    writeSync() {
      throw new Error("no space left");
    },
    close() {},
  }));
  trail.change(CHANGE);
  trail.change(CHANGE);
  assert.equal(lines.length, 2);
  assert.deepEqual(errors, ["main.audit-log cannot be written"]);
  trail.close();
});
