/**
 * A shard's counters in shared memory: the shard writes, the main thread reads
 * what may be a moment old. One float64 each, so that counts do not wrap.
 */
import {
  REJECT_REASONS,
  type RejectReason,
  type ShardStats,
  SKIP_REASONS,
  type SkipReason,
} from "../engine/metric_engine.ts";

const FIELDS = [
  "linesTotal",
  "storedTotal",
  "queriesTotal",
  "samplesReadTotal",
  "series",
  "hosts",
  "runs",
  "blockBytes",
  "sampleBytes",
  "mixedLevelQueriesTotal",
  "restoredSamples",
  "logBytesTotal",
  "logFailuresTotal",
  "reservedBytes",
  "evictedBeforeSec",
  "selectionsOpen",
  "selectionsTotal",
  "selectedSamplesTotal",
  "selectionSecTotal",
] as const;
type Field = typeof FIELDS[number];

const REJECTED_AT = FIELDS.length;
const SKIPPED_AT = REJECTED_AT + REJECT_REASONS.length;
const LENGTH = SKIPPED_AT + SKIP_REASONS.length;
const INDEX = new Map<Field, number>(FIELDS.map((name, i) => [name, i]));

export class StatsBlock {
  readonly memory: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(memory = new SharedArrayBuffer(LENGTH * 8)) {
    this.memory = memory;
    this.#values = new Float64Array(memory);
  }

  set(field: Field, value: number): void {
    this.#values[INDEX.get(field)!] = value;
  }

  add(field: Field, value: number): void {
    this.#values[INDEX.get(field)!]! += value;
  }

  /** Adds counts by index of the reason lists. */
  addReasons(
    rejected: readonly number[],
    skipped: readonly number[],
  ): void {
    rejected.forEach((count, i) => this.#values[REJECTED_AT + i]! += count);
    skipped.forEach((count, i) => this.#values[SKIPPED_AT + i]! += count);
  }

  read(shard: number, inboxBytes: number): ShardStats {
    const values = this.#values;
    const get = (field: Field) => values[INDEX.get(field)!]!;
    return {
      shard,
      linesTotal: get("linesTotal"),
      storedTotal: get("storedTotal"),
      rejectedTotal: named<RejectReason>(REJECT_REASONS, values, REJECTED_AT),
      skippedTotal: named<SkipReason>(SKIP_REASONS, values, SKIPPED_AT),
      queriesTotal: get("queriesTotal"),
      samplesReadTotal: get("samplesReadTotal"),
      series: get("series"),
      hosts: get("hosts"),
      runs: get("runs"),
      blockBytes: get("blockBytes"),
      sampleBytes: get("sampleBytes"),
      inboxBytes,
      mixedLevelQueriesTotal: get("mixedLevelQueriesTotal"),
      restoredSamples: get("restoredSamples"),
      logBytesTotal: get("logBytesTotal"),
      logFailuresTotal: get("logFailuresTotal"),
      reservedBytes: get("reservedBytes"),
      evictedBeforeSec: get("evictedBeforeSec"),
      selectionsOpen: get("selectionsOpen"),
      selectionsTotal: get("selectionsTotal"),
      selectedSamplesTotal: get("selectedSamplesTotal"),
      selectionSecTotal: get("selectionSecTotal"),
    };
  }
}

function named<Name extends string>(
  names: readonly Name[],
  values: Float64Array,
  from: number,
): Record<Name, number> {
  const out = {} as Record<Name, number>;
  names.forEach((name, i) => out[name] = values[from + i]!);
  return out;
}
