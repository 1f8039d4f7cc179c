import assert from "node:assert/strict";
import { msUntilHour, Schedule } from "./schedule.ts";

const HOUR_MS = 3_600_000;

function log() {
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  return { lines, log: { info: note, warn: note, err: note } };
}

Deno.test("msUntilHour() is the time to the next such hour, never none", () => {
  const at = (text: string) => new Date(`2026-06-10T${text}`);
  assert.equal(msUntilHour(3, at("02:00:00")), HOUR_MS);
  assert.equal(msUntilHour(3, at("02:59:59.999")), 1);
  assert.equal(msUntilHour(3, at("03:00:00")), 24 * HOUR_MS);
  assert.equal(msUntilHour(3, at("04:00:00")), 23 * HOUR_MS);
});

Deno.test("Schedule does work again and again, also after it failed", async () => {
  const { log: quiet, lines } = log();
  const schedule = new Schedule(quiet);
  const thrice = Promise.withResolvers<void>();
  let times = 0;
  schedule.every(0.001, "work", () => {
    times++;
    if (times === 3) thrice.resolve();
    return times === 1 ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  await thrice.promise;
  await schedule.close();
  assert.deepEqual(lines, ["background work failed"]);
});

Deno.test("Schedule.close() waits for work under way and begins none", async () => {
  const schedule = new Schedule(log().log);
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let ended = false;
  schedule.every(0.001, "slow", async () => {
    begun.resolve();
    await goOn.promise;
    ended = true;
  });
  schedule.daily(3, "never", () => Promise.reject(new Error("not today")));
  await begun.promise;
  const closed = schedule.close();
  goOn.resolve();
  await closed;
  assert.ok(ended);
});
