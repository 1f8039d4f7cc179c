import assert from "node:assert/strict";
import { EndingCredentials, SOON_SEC } from "./ending_credentials.ts";

const DAY = 86_400;

function setUp() {
  const clock = { now: 1_000_000 };
  const lines: string[] = [];
  const endings = new EndingCredentials({
    warn: (message, fields) =>
      void lines.push(`${message} ${JSON.stringify(fields)}`),
  }, () => clock.now);
  return { clock, lines, endings };
}

Deno.test("EndingCredentials counts tokens in use that end within 30 days", () => {
  const { clock, endings } = setUp();
  assert.deepEqual(endings.stats, { count: 0, firstSec: 0 });
  endings.note("never", Infinity);
  endings.note("later", clock.now + SOON_SEC);
  assert.deepEqual(endings.stats, { count: 0, firstSec: 0 });
  endings.note("slurm", clock.now + 20 * DAY);
  endings.note("collector", clock.now + 5 * DAY);
  const firstSec = clock.now + 5 * DAY;
  assert.deepEqual(endings.stats, { count: 2, firstSec });
});

Deno.test("EndingCredentials warns once a day, of what was used since", () => {
  const { clock, endings, lines } = setUp();
  const end = clock.now + 20 * DAY;
  const day = (sec: number) => new Date(sec * 1000).toISOString().slice(0, 10);
  endings.tick();
  assert.equal(lines.length, 0);
  endings.note("slurm", end);
  endings.note("collector", end - DAY);
  endings.tick();
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    new RegExp(`"count":2,"soonest":"collector ${day(end - DAY)}, slurm`),
  );
  endings.note("slurm", end);
  endings.tick();
  assert.equal(lines.length, 1, "the same day");
  clock.now += DAY;
  endings.tick();
  assert.match(lines[1]!, /"count":1,"soonest":"slurm /);
  clock.now += DAY;
  endings.tick();
  assert.equal(lines.length, 2, "nobody used one");
  assert.deepEqual(endings.stats, { count: 1, firstSec: end });
});

Deno.test("EndingCredentials keeps a bounded number of names", () => {
  const { clock, endings, lines } = setUp();
  for (let i = 0; i < 5000; i++) endings.note(`u${i}`, clock.now + DAY);
  endings.tick();
  assert.match(lines[0]!, /"count":1000,/);
  assert.ok(lines[0]!.length < 1000);
});
