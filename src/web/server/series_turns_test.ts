import assert from "node:assert/strict";
import { SeriesTurns } from "./series_turns.ts";

/** Work that lasts until it is told to end. */
function job(turns: SeriesTurns, login: string, begun: string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = turns.run(login, () => {
    begun.push(login);
    return promise;
  });
  return { end: resolve, done };
}

Deno.test("two answers of a login and four in all are made at a time", async () => {
  const turns = new SeriesTurns();
  const begun: string[] = [];
  const jobs = ["a", "a", "a", "b", "c", "d"].map((login) =>
    job(turns, login, begun)
  );
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "a", "b", "c"]);
  jobs[3]!.end();
  await jobs[3]!.done;
  await Promise.resolve();
  // The third of the first login still waits for its own.
  assert.deepEqual(begun, ["a", "a", "b", "c", "d"]);
  for (const { end } of jobs) end();
  await Promise.all(jobs.map(({ done }) => done));
  assert.deepEqual(begun, ["a", "a", "b", "c", "d", "a"]);
});

Deno.test("a request that waits too long is told to come again", async () => {
  const turns = new SeriesTurns(1);
  const begun: string[] = [];
  const first = job(turns, "a", begun);
  const second = job(turns, "a", begun);
  await assert.rejects(
    turns.run("a", () => Promise.resolve()),
    { code: "E_OVERLOAD", retryAfterSec: 5 },
  );
  first.end();
  second.end();
  await Promise.all([first.done, second.done]);
  // Failed work gives its turn back, too.
  await assert.rejects(turns.run("a", () => Promise.reject(new Error("x"))));
  assert.equal(await turns.run("a", () => Promise.resolve(1)), 1);
});
