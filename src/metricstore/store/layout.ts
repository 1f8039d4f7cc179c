/**
 * How a shard's samples lie in memory. One place for every constant and offset,
 * so that the kernels that use them stay readable.
 *
 * A series is a chain of runs. A run is a grid of up to 512 slots whose phase its
 * first sample fixed. A run is cut into pages of 64 slots. The page that is being
 * filled lives in the series' lane of a hot tile; full pages are sealed into the
 * page pool:
 *
 *     series ──► oldest run ⇄ … ⇄ head run ──► pages 0..7 (ids into the pool, 0 = all empty)
 *                                    └── the newest page: hot tile, 64 rows x 64 lanes
 *
 * Hot tiles are time-major: row r of a tile holds slot r of 64 series that were
 * created one after the other, which is the order in which a collector sends
 * them. A scrape of one host therefore writes neighbouring addresses.
 *
 * Series record, 16 x int32, the first two also one float64:
 *
 * | word | field       | meaning                                                    |
 * | ---- | ----------- | ---------------------------------------------------------- |
 * | 0-1  | NEXT_SLOT   | f64: start of the slot after the newest, seconds           |
 * | 2    | FREQUENCY   | seconds per slot; 0: the record is free                    |
 * | 3    | LENGTH      | slots of the head run up to the newest (its RUN_LENGTH is stale) |
 * | 4    | HEAD        | newest run, 0: none                                        |
 * | 5    | OLDEST      | oldest run, 0: none                                        |
 * | 6    | METRIC      | id of the metric                                           |
 * | 7    | LEVEL       | id of the level it belongs to                              |
 * | 8    | OWNER       | whose memory it is, below OWNERS_MAX                       |
 *
 * Run record, 16 x int32, the first two also one float64:
 *
 * | word | field       | meaning                                                    |
 * | ---- | ----------- | ---------------------------------------------------------- |
 * | 0-1  | RUN_START   | f64: start of slot 0, seconds (nominal time - floor(f/2))  |
 * | 2    | RUN_FIRST   | first slot in use; what clients see as the run's begin     |
 * | 3    | RUN_LENGTH  | slots up to the last in use                                |
 * | 4    | RUN_PREV    | next older run, 0: none                                    |
 * | 5    | RUN_NEXT    | next newer run, 0: none                                    |
 * | 6-13 | RUN_PAGES   | page ids, 0: all slots empty                               |
 * | 14   | RUN_OWNER   | OWNER of its series                                        |
 *
 * The owner thread is the only one to read or write any of it.
 */
import { assert } from "../../base/assert.ts";

/** Slots of a run: upstream's buffer capacity, which clients can see (metric-store 3.1). */
export const RUN_SLOTS = 512;

export const PAGE_SHIFT = 6;
/** Slots of a page and rows of a hot tile. */
export const PAGE_SLOTS = 1 << PAGE_SHIFT;
export const PAGE_MASK = PAGE_SLOTS - 1;
export const RUN_PAGE_COUNT = RUN_SLOTS / PAGE_SLOTS;

/**
 * Series that share a hot tile. Wide rows keep a scrape together: 64 lanes are
 * eight cache lines in a row before the next tile is touched.
 */
export const LANE_SHIFT = 6;
export const LANES = 1 << LANE_SHIFT;
export const LANE_MASK = LANES - 1;
/** Shift from a tile's number to the index of its first slot. */
export const TILE_SHIFT = LANE_SHIFT + PAGE_SHIFT;

export const RECORD_SHIFT = 4;
export const RECORD_WORDS = 1 << RECORD_SHIFT;

export const NEXT_SLOT = 0; // in float64 units
export const FREQUENCY = 2;
export const LENGTH = 3;
export const HEAD = 4;
export const OLDEST = 5;
export const METRIC = 6;
export const LEVEL = 7;
export const OWNER = 8;

/**
 * Returns the seconds from a slot's start to its nominal time. The first sample of a run
 * lies in the middle of its slot, so that samples that come a little early or late still
 * fall into it; upstream rounds the middle down (metric-store 3.1).
 */
export function phaseOf(frequencySec: number): number {
  return Math.floor(frequencySec / 2);
}

/** Owners that are told apart: 0, and one for each instance that can have a name. */
export const OWNERS_MAX = 4097;

export const RUN_START = 0; // in float64 units
export const RUN_FIRST = 2;
export const RUN_LENGTH = 3;
export const RUN_PREV = 4;
export const RUN_NEXT = 5;
export const RUN_PAGES = 6;
export const RUN_OWNER = 14;

/**
 * Series that one shard can hold. The memory is reserved at the start and costs nothing
 * until it is used (measured: 8 GB reserved = 1 MB resident), whereas dropped
 * SharedArrayBuffers are not given back in time; so nothing is ever dropped.
 */
export const SHARD_SERIES_MAX = 1 << 21;
export const SHARD_RUNS_MAX = 1 << 23;

assert(RUN_SLOTS % PAGE_SLOTS === 0, "a run must be whole pages");
assert(
  RUN_PAGES + RUN_PAGE_COUNT <= RUN_OWNER && RUN_OWNER < RECORD_WORDS,
  "page ids must fit the run record",
);
assert(
  SHARD_SERIES_MAX * PAGE_SLOTS < 2 ** 30,
  "indices into the hot tiles must stay small integers",
);
assert(
  SHARD_RUNS_MAX * RECORD_WORDS < 2 ** 30,
  "indices into the run records must stay small integers",
);
