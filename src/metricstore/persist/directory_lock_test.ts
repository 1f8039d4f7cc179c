import assert from "node:assert/strict";
import {
  holdLock,
  LockError,
  type LockFile,
  type LockSubject,
  tryHold,
} from "./directory_lock.ts";
import { errorText } from "../../base/log.ts";

const SUBJECT: LockSubject = {
  file: "/nowhere/lock",
  key: "metric-store.checkpoints.directory",
  path: "/nowhere",
};

async function withSubject(
  test: (subject: LockSubject) => Promise<void> | void,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await test({ ...SUBJECT, path, file: `${path}/new/lock` });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** A lock file of another kind of system. */
function fake(part: Partial<LockFile>): () => LockFile {
  return () => ({
    tryLock: () => true,
    isCurrent: () => true,
    write: () => {},
    close: () => {},
    ...part,
  });
}

Deno.test("holdLock() keeps a second holder away, names the first, and lets one in after release()", () =>
  withSubject(async (subject) => {
    const first = await holdLock(subject, { waitMs: 0 });
    const refused = await holdLock(subject, { waitMs: 0 })
      .catch((error) => error);
    assert.ok(refused instanceof LockError);
    assert.equal(refused.isHeld, true);
    assert.equal(
      refused.message,
      `metric-store.checkpoints.directory: ${subject.path} is in use by ` +
        `process ${Deno.pid} on ${Deno.hostname()}; ` +
        "one process at a time may work there",
    );
    assert.equal(tryHold(subject), undefined);
    const waited: string[] = [];
    const second = holdLock(subject, {
      onWait(message) {
        waited.push(message);
        first.release();
      },
    });
    (await second).release();
    assert.deepEqual(waited, [refused.message]);
  }));

Deno.test("holdLock() makes a file for its owner alone that says who holds it", () =>
  withSubject(async ({ path, ...subject }) => {
    const lock = await holdLock({ path, ...subject });
    assert.equal(
      Deno.readTextFileSync(subject.file),
      `${Deno.pid}\n${Deno.hostname()}\n`,
    );
    assert.equal(Deno.statSync(subject.file).mode! & 0o777, 0o600);
    assert.equal(Deno.statSync(`${path}/new`).mode! & 0o777, 0o700);
    lock.release();
  }));

Deno.test("tryHold() takes no lock of a file whose name leads elsewhere now", () =>
  withSubject(({ path, ...subject }) => {
    const isTaken = fake({ isCurrent: () => false });
    assert.equal(tryHold({ path, ...subject }, isTaken), undefined);
    const first = tryHold({ path, ...subject });
    // Somebody tidied: the lock of the removed file is worth nothing.
    Deno.removeSync(subject.file);
    const second = tryHold({ path, ...subject });
    assert.notEqual(second, undefined);
    assert.equal(tryHold({ path, ...subject }), undefined);
    first?.release();
    second?.release();
  }));

Deno.test("holdLock() ends at once with the reason where the file system has no locks", async () => {
  const open = fake({
    tryLock() {
      throw new Error("No locks available (os error 37)");
    },
  });
  const refused = await holdLock(SUBJECT, { open }).catch((error) => error);
  assert.ok(refused instanceof LockError);
  assert.equal(refused.isHeld, false);
  assert.equal(
    errorText(refused),
    "metric-store.checkpoints.directory: /nowhere cannot be locked, so that " +
      "nothing would keep a second process away from its files; a file system " +
      "with flock is needed: No locks available (os error 37)",
  );
});

Deno.test("holdLock() says which key leads to a directory that cannot be written", async () => {
  const open = () => {
    throw new Error("Read-only file system (os error 30)");
  };
  const refused = await holdLock(SUBJECT, { open }).catch((error) => error);
  assert.equal(
    errorText(refused),
    "metric-store.checkpoints.directory: nothing can be written in /nowhere: " +
      "Read-only file system (os error 30)",
  );
});

Deno.test("holdLock() holds the lock on a full disk too, and says that the file does not tell by whom", async () => {
  const open = fake({
    write() {
      throw new Error("No space left on device (os error 28)");
    },
  });
  const lock = await holdLock(SUBJECT, { open });
  assert.equal(lock.problem, "No space left on device (os error 28)");
});
