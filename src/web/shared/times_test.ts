import assert from "node:assert/strict";
import fc from "fast-check";
import {
  axisTicks,
  formatAge,
  formatMoment,
  formatSpan,
  knownZone,
  parseSpan,
  tickText,
  wallSec,
  zoneOffset,
} from "./times.ts";

const NOON = Date.UTC(2026, 11, 1, 12) / 1000;

Deno.test("moments are ISO dates in a zone that is named", () => {
  assert.equal(formatMoment(NOON, "UTC"), "2026-12-01 12:00:00");
  assert.equal(formatMoment(NOON, "Europe/Berlin"), "2026-12-01 13:00:00");
  assert.equal(formatMoment(NOON, "Asia/Kathmandu"), "2026-12-01 17:45:00");
  assert.equal(formatMoment(0, "UTC"), "–");
  assert.equal(zoneOffset(NOON, "UTC"), "UTC");
  assert.equal(zoneOffset(NOON, "Europe/Berlin"), "UTC+1");
  assert.equal(zoneOffset(NOON, "Asia/Kathmandu"), "UTC+5:45");
  assert.equal(zoneOffset(NOON, "America/New_York"), "UTC\u22125");
  assert.equal(knownZone("Mars/Olympus"), undefined);
});

Deno.test("spans have the two units that matter", () => {
  const texts = [9, 723, 3600 * 14 + 120, 86_400 * 3 + 4 * 3600 + 720, -1, NaN]
    .map(formatSpan);
  assert.deepEqual(
    texts,
    ["9 s", "12 m 03 s", "14:02 h", "3 d 04:12", "0 s", "–"],
  );
});

Deno.test("ages are told in one unit", () => {
  const ages = [2, 12, 300, 14_400, 300_000, -300]
    .map((age) => formatAge(NOON - age, NOON));
  assert.deepEqual(
    ages,
    ["just now", "12 s ago", "5 m ago", "4 h ago", "3 d ago", "in 5 m"],
  );
});

Deno.test("spans that people write are read", () => {
  const read = ["90", "5m", "2 h", "1.5d", "1:30", "", "5x", "-3"]
    .map(parseSpan);
  assert.deepEqual(
    read,
    [90, 300, 7200, 129_600, 5400, undefined, undefined, undefined],
  );
});

Deno.test("ticks are round in the zone's own clock, also where clocks change", () => {
  // On 25 October 2026 at 03:00 Berlin goes back to 02:00.
  const from = Date.UTC(2026, 9, 24, 12) / 1000;
  const { at, step } = axisTicks(from, from + 86_400, 6, "Europe/Berlin");
  assert.equal(step, 21_600);
  const texts = at.map((sec) => tickText(sec, step, "Europe/Berlin"));
  assert.deepEqual(texts, ["18:00", "10-25", "06:00", "12:00"]);
});

Deno.test("an axis has at most as many ticks as asked for, in order and inside", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1_500_000_000, max: 1_900_000_000 }),
    fc.integer({ min: 1, max: 40 * 86_400 }),
    fc.integer({ min: 2, max: 12 }),
    fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu"),
    (from, span, most, zone) => {
      const { at } = axisTicks(from, from + span, most, zone);
      assert.ok(at.length <= most + 2);
      at.forEach((sec, index) => {
        assert.ok(sec >= from && sec <= from + span);
        assert.ok(index === 0 || sec > at[index - 1]!);
      });
    },
  ));
});

Deno.test("wall time of UTC is UTC", () => {
  assert.equal(wallSec(NOON, "UTC"), NOON);
});
