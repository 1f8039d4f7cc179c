import assert from "node:assert/strict";
import { LoginTurns } from "./login_turns.ts";

Deno.test("LoginTurns lets one of a network go at a time, in order, and others beside it", async () => {
  const turns = new LoginTurns();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (network: string, name: string) =>
    turns.run(network, () => {
      begun.push(name);
      return new Promise<string>((resolve) =>
        ends.set(name, () => resolve(name))
      );
    });
  const all = [run("a", "a1"), run("a", "a2"), run("a", "a3"), run("b", "b1")];
  await Promise.resolve();
  assert.deepEqual(begun, ["a1", "b1"]);
  ends.get("a1")!();
  await all[0];
  await Promise.resolve();
  assert.deepEqual(begun, ["a1", "b1", "a2"]);
  ends.get("a2")!();
  await all[1];
  await Promise.resolve();
  assert.deepEqual(begun, ["a1", "b1", "a2", "a3"]);
  ends.get("a3")!();
  ends.get("b1")!();
  assert.deepEqual(await Promise.all(all), ["a1", "a2", "a3", "b1"]);
});

Deno.test("LoginTurns tells who waits too long, and goes on after a failure", async () => {
  const turns = new LoginTurns(1);
  const held = Promise.withResolvers<void>();
  const first = turns.run("a", () => held.promise);
  await assert.rejects(
    turns.run("a", () => Promise.resolve()),
    /too many passwords from there/,
  );
  held.reject(new Error("broken"));
  await assert.rejects(first, /broken/);
  assert.equal(await turns.run("a", () => Promise.resolve(7)), 7);
});

Deno.test("LoginTurns bounds who waits", async () => {
  const turns = new LoginTurns();
  const held = Promise.withResolvers<void>();
  const all = Array.from(
    { length: 33 },
    () => turns.run("a", () => held.promise),
  );
  await assert.rejects(turns.run("a", () => held.promise), /too many/);
  held.resolve();
  await Promise.all(all);
});
