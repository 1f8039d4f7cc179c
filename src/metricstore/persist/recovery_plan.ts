/**
 * Decides on the files to load at a start and those to remove after a snapshot. Pure:
 * decisions from the names in a shard's directory and from which snapshots are good.
 *
 * The two newest good snapshots are kept, and every segment from the older one's
 * number on: if the newest turns out to be damaged, the one before and the log
 * since then say the same. Until there are two, no segment is removed.
 *
 * | case | newest snapshot | one before | log behind what is loaded | load              | lost  |
 * | ---- | --------------- | ---------- | ------------------------- | ----------------- | ----- |
 * | A    | none            | none       | whole                     | log               | no    |
 * | B    | none            | none       | hole                      | log               | maybe |
 * | C    | good            | any        | whole                     | newest + log      | no    |
 * | D    | good            | any        | hole                      | newest + log      | maybe |
 * | E    | bad             | good       | whole                     | one before + log  | no    |
 * | F    | bad             | good       | hole                      | one before + log  | maybe |
 * | G    | bad             | bad, none  | whole                     | log               | no    |
 * | H    | bad             | bad, none  | hole                      | log               | maybe |
 *
 * - A: the first start, or one before the first snapshot was made. An empty
 *   directory is a whole log without segments.
 * - B: no segment is removed while there is no snapshot, so files were lost.
 * - C: every ordinary start. Segments may be missing where none was begun since
 *   the snapshot.
 * - D: files were lost. The others are applied; runs of samples have holes.
 * - E: the newest snapshot was damaged after it was renamed. "One before" is the
 *   newest good one, should several be bad.
 * - F: as E, and files of the log were lost.
 * - G: only before the second snapshot: the log still reaches back to segment 1.
 * - H: as G, but the log does not reach back. Its segments are applied.
 *
 * A log is whole if it has every segment from the number of what is loaded (1
 * without a snapshot) up to its newest, and up to the newest snapshot's.
 */
import {
  segmentName,
  segmentOfName,
  segmentOfSnapshotName,
  snapshotName,
  TEMPORARY_SUFFIX,
} from "./filenames.ts";

/** The files of a shard's directory. */
export interface ShardListing {
  /** Numbers of log segments, ascending. */
  readonly segments: readonly number[];
  /** Numbers of snapshots, newest first. */
  readonly snapshots: readonly number[];
  /** Names of files that were never finished. */
  readonly leftovers: readonly string[];
}

export type RecoveryCase = "A" | "B" | "C" | "D" | "E" | "F" | "G" | "H";

/** The table above. */
export const RECOVERY_CASES: readonly {
  readonly letter: RecoveryCase;
  readonly newest: "none" | "good" | "bad";
  /** Whether an older snapshot is good; `undefined`: it is not looked at. */
  readonly hasGoodBefore: boolean | undefined;
  readonly isLogWhole: boolean;
}[] = [
  { letter: "A", newest: "none", hasGoodBefore: false, isLogWhole: true },
  { letter: "B", newest: "none", hasGoodBefore: false, isLogWhole: false },
  { letter: "C", newest: "good", hasGoodBefore: undefined, isLogWhole: true },
  { letter: "D", newest: "good", hasGoodBefore: undefined, isLogWhole: false },
  { letter: "E", newest: "bad", hasGoodBefore: true, isLogWhole: true },
  { letter: "F", newest: "bad", hasGoodBefore: true, isLogWhole: false },
  { letter: "G", newest: "bad", hasGoodBefore: false, isLogWhole: true },
  { letter: "H", newest: "bad", hasGoodBefore: false, isLogWhole: false },
];

/** Segments `from` to `to`, both included. */
export interface SegmentRange {
  readonly from: number;
  readonly to: number;
}

export interface RecoveryPlan {
  readonly letter: RecoveryCase;
  /** The snapshot to load first. */
  readonly snapshot: number | undefined;
  /** Snapshots that were found bad, to be put aside. */
  readonly badSnapshots: readonly number[];
  /** The segments to apply then, in this order. */
  readonly segments: readonly number[];
  /** Segments that should be there. Not empty: samples may be lost. */
  readonly missing: readonly SegmentRange[];
  /** Names of files to remove. */
  readonly leftovers: readonly string[];
  /** The number for the first segment to write. */
  readonly nextSegment: number;
}

/** Sorts the names of the plain files in a shard's directory; others are not ours. */
export function listingOf(names: readonly string[]): ShardListing {
  const segments: number[] = [];
  const snapshots: number[] = [];
  const leftovers: string[] = [];
  for (const name of names) {
    const segment = segmentOfName(name);
    const snapshot = segmentOfSnapshotName(name);
    if (segment !== undefined) segments.push(segment);
    if (snapshot !== undefined) snapshots.push(snapshot);
    if (name.endsWith(TEMPORARY_SUFFIX)) leftovers.push(name);
  }
  segments.sort((a, b) => a - b);
  snapshots.sort((a, b) => b - a);
  return { segments, snapshots, leftovers };
}

/**
 * Decides what to load. `isGood` is asked about snapshots from the newest on,
 * until it says yes.
 */
export function planRecovery(
  listing: ShardListing,
  isGood: (snapshot: number) => boolean,
): RecoveryPlan {
  const badSnapshots: number[] = [];
  let snapshot: number | undefined;
  for (const candidate of listing.snapshots) {
    if (isGood(candidate)) {
      snapshot = candidate;
      break;
    }
    badSnapshots.push(candidate);
  }
  const first = snapshot ?? 1;
  const segments = listing.segments.filter((segment) => segment >= first);
  const newest = listing.snapshots[0] ?? 1;
  const end = Math.max((segments.at(-1) ?? 0) + 1, newest);
  const missing = holesIn(segments, first, end);
  return {
    letter: letterOf(
      listing.snapshots.length > 0,
      snapshot,
      badSnapshots.length > 0,
      missing.length === 0,
    ),
    snapshot,
    badSnapshots,
    segments,
    missing,
    leftovers: listing.leftovers,
    nextSegment: end,
  };
}

/**
 * Names of files that no start needs once the newest snapshot is durable, in the
 * order in which to remove them. `badSnapshots` are not counted on.
 */
export function filesToRemove(
  listing: ShardListing,
  badSnapshots: readonly number[],
): string[] {
  const good = listing.snapshots.filter((n) => !badSnapshots.includes(n));
  const fallback = good[1];
  if (fallback === undefined) return [];
  return [
    ...good.slice(2).map(snapshotName),
    ...listing.segments.filter((n) => n < fallback).map(segmentName),
  ];
}

/** The numbers in [first, end) that are not among `segments`, which ascend. */
function holesIn(
  segments: readonly number[],
  first: number,
  end: number,
): SegmentRange[] {
  const holes: SegmentRange[] = [];
  let next = first;
  for (const segment of [...segments, end]) {
    if (segment > next) holes.push({ from: next, to: segment - 1 });
    next = Math.max(next, segment + 1);
  }
  return holes;
}

function letterOf(
  hasSnapshots: boolean,
  loaded: number | undefined,
  hasBad: boolean,
  isLogWhole: boolean,
): RecoveryCase {
  const newest = !hasSnapshots ? "none" : hasBad ? "bad" : "good";
  const row = RECOVERY_CASES.find((row) =>
    row.newest === newest && row.isLogWhole === isLogWhole &&
    (row.hasGoodBefore ?? true) === (loaded !== undefined)
  );
  if (row === undefined) throw new Error("BUG: the table has every case");
  return row.letter;
}
