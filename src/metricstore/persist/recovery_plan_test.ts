import assert from "node:assert/strict";
import {
  filesToRemove,
  listingOf,
  planRecovery,
  RECOVERY_CASES,
  type RecoveryPlan,
} from "./recovery_plan.ts";

function names(segments: number[], snapshots: number[]): string[] {
  const digits = (n: number) => String(n).padStart(10, "0");
  return [
    ...segments.map((n) => `wal.${digits(n)}`),
    ...snapshots.map((n) => `snapshot.${digits(n)}`),
  ];
}

function plan(
  segments: number[],
  snapshots: number[],
  bad: number[] = [],
): RecoveryPlan {
  const listing = listingOf(names(segments, snapshots));
  return planRecovery(listing, (snapshot) => !bad.includes(snapshot));
}

/** Snapshots 4 (the one before) and 8 (the newest), segments 1 to 9 or fewer. */
const STATES = ["none", "good", "bad"] as const;

for (const newest of STATES) {
  for (const before of STATES) {
    if (newest === "none" && before !== "none") continue;
    for (const isLogWhole of [true, false]) {
      const first = newest === "good" ? 8 : before === "good" ? 4 : 1;
      const hasGoodBefore = before === "good";
      const row = RECOVERY_CASES.find((row) =>
        row.newest === newest && row.isLogWhole === isLogWhole &&
        (row.hasGoodBefore ?? hasGoodBefore) === hasGoodBefore
      );
      const log = isLogWhole ? "a whole log" : "a hole in the log";
      Deno.test(`planRecovery() decides case ${row?.letter}: newest snapshot ${newest}, one before ${before}, ${log}`, () => {
        assert.ok(row !== undefined);
        const snapshots = [
          ...before === "none" ? [] : [4],
          ...newest === "none" ? [] : [8],
        ];
        const bad = [
          ...before === "bad" ? [4] : [],
          ...newest === "bad" ? [8] : [],
        ];
        const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        const segments = isLogWhole ? all : all.filter((n) => n !== first);
        const result = plan(segments, snapshots, bad);
        assert.equal(result.letter, row.letter);
        assert.equal(result.snapshot, first === 1 ? undefined : first);
        assert.deepEqual(
          result.segments,
          segments.filter((n) => n >= first),
        );
        assert.deepEqual(
          result.missing,
          isLogWhole ? [] : [{ from: first, to: first }],
        );
        assert.equal(result.nextSegment, 10);
        // Only what was looked at can be found bad.
        assert.deepEqual(
          result.badSnapshots,
          newest === "good" ? [] : bad.toReversed(),
        );
      });
    }
  }
}

Deno.test("RECOVERY_CASES gives every letter once", () => {
  const letters = RECOVERY_CASES.map((row) => row.letter).join("");
  assert.equal(letters, "ABCDEFGH");
});

Deno.test("planRecovery() begins an empty directory with segment 1", () => {
  const result = plan([], []);
  assert.equal(result.letter, "A");
  assert.equal(result.nextSegment, 1);
});

Deno.test("planRecovery() needs no segment behind a snapshot", () => {
  const result = plan([3, 4, 5], [6]);
  assert.equal(result.letter, "C");
  assert.deepEqual(result.segments, []);
  assert.equal(result.nextSegment, 6);
});

Deno.test("planRecovery() misses the segments that a bad snapshot stood for", () => {
  const result = plan([2], [6], [6]);
  assert.equal(result.letter, "H");
  assert.deepEqual(result.missing, [{ from: 1, to: 1 }, { from: 3, to: 5 }]);
  assert.deepEqual(result.segments, [2]);
  assert.equal(result.nextSegment, 6);
});

Deno.test("planRecovery() asks no further than the first good snapshot", () => {
  const asked: number[] = [];
  const listing = listingOf(names([], [2, 4, 6]));
  planRecovery(listing, (snapshot) => {
    asked.push(snapshot);
    return snapshot === 4;
  });
  assert.deepEqual(asked, [6, 4]);
});

Deno.test("listingOf() sorts numbers and finds leftovers", () => {
  const listing = listingOf([
    "wal.0000000010",
    "wal.0000000002",
    "snapshot.0000000002",
    "snapshot.0000000010",
    "snapshot.0000000011.tmp",
    "notes.txt",
  ]);
  assert.deepEqual(listing, {
    segments: [2, 10],
    snapshots: [10, 2],
    leftovers: ["snapshot.0000000011.tmp"],
  });
});

Deno.test("filesToRemove() keeps two snapshots and the log since the older", () => {
  const listing = listingOf(names([1, 2, 3, 4, 5, 6], [2, 4, 6]));
  assert.deepEqual(
    filesToRemove(listing, []),
    names([1, 2, 3], [2]).toSorted(),
  );
});

Deno.test("filesToRemove() removes nothing before there are two good snapshots", () => {
  const listing = listingOf(names([1, 2, 3, 4, 5, 6], [4, 6]));
  assert.deepEqual(filesToRemove(listing, [4]), []);
  const one = listingOf(names([1, 2, 3], [3]));
  assert.deepEqual(filesToRemove(one, []), []);
});

Deno.test("filesToRemove() leaves what a start needs if the newest snapshot goes bad", () => {
  const all = names([1, 2, 3, 4, 5, 6, 7], [2, 4, 6]);
  const gone = filesToRemove(listingOf(all), []);
  const listing = listingOf(all.filter((name) => !gone.includes(name)));
  const result = planRecovery(listing, (snapshot) => snapshot !== 6);
  assert.equal(result.letter, "E");
  assert.deepEqual(result.missing, []);
});
