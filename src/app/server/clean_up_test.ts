import assert from "node:assert/strict";
import { storeLock } from "../../metricstore/coordinator/store_layouts.ts";
import {
  HeldLock,
  holdLock,
} from "../../metricstore/persist/directory_lock.ts";
import { storeDirectory } from "../../metricstore/persist/filenames.ts";
import { Log } from "../../base/log.ts";
import type { StoreEngine } from "../../metricstore/engine/metric_engine.ts";
import { askServer } from "./clean_up.ts";
import { CleanUpDesk } from "./clean_up_requests.ts";

/** Runs `test` in a directory of which this process holds the lock. */
async function withLock(
  test: (directory: string, lock: HeldLock) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const lock = await holdLock(storeLock(directory));
  try {
    await test(directory, lock);
    const left = [...Deno.readDirSync(storeDirectory(directory))];
    assert.deepEqual(left.map(({ name }) => name), ["lock"]);
  } finally {
    lock.release();
    await Deno.remove(directory, { recursive: true });
  }
}

/** A store that can do nothing but clean up. */
function storeThat(cleanUp: () => Promise<void>): StoreEngine {
  return { cleanUp } as unknown as StoreEngine;
}

const QUIET = new Log({ level: "crit", dates: false, priorities: false });

Deno.test("askServer() takes the answers of the process that holds the directory, also bad ones", () =>
  withLock(async (directory) => {
    const outcomes = [undefined, new Error("nothing can be archived")];
    const engine = storeThat(() => {
      const problem = outcomes.shift();
      return problem === undefined
        ? Promise.resolve()
        : Promise.reject(problem);
    });
    const desk = new CleanUpDesk(directory, engine, QUIET);
    try {
      assert.deepEqual(await askServer(directory, 60_000), {
        isOk: true,
        message: "cleaned up",
      });
      assert.deepEqual(await askServer(directory, 60_000), {
        isOk: false,
        message: "nothing can be archived",
      });
    } finally {
      desk.close();
    }
  }));

Deno.test("CleanUpDesk answers all who ask with one clean-up", () =>
  withLock(async (directory) => {
    let runs = 0;
    const all = Array.from({ length: 5 }, () => askServer(directory, 60_000));
    const desk = new CleanUpDesk(
      directory,
      storeThat(() => Promise.resolve(void runs++)),
      QUIET,
    );
    try {
      for (const answer of await Promise.all(all)) {
        assert.equal("isOk" in answer && answer.isOk, true);
      }
    } finally {
      desk.close();
    }
    assert.equal(runs, 1);
  }));

Deno.test("askServer() takes the lock over when the process that had it ends", () =>
  withLock(async (directory, lock) => {
    const asked = askServer(directory, 60_000);
    lock.release();
    const found = await asked;
    assert.ok(found instanceof HeldLock);
    found.release();
  }));

Deno.test("askServer() gives up on a process that does not answer, and takes its request back", () =>
  withLock(async (directory) => {
    await assert.rejects(
      askServer(directory, 1000),
      /^Error: the process that works in .* has not answered within 1 s/,
    );
  }));
