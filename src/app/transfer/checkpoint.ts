/** What the readers of checkpoint files have in common. Pure. */

/** A stretch of one series: sample i belongs to `startSec + i * frequencySec`. */
export interface StoredSeries {
  /** Names below the host. */
  readonly levels: readonly string[];
  readonly metric: string;
  readonly startSec: number;
  readonly frequencySec: number;
  /** `null` and NaN: no sample. */
  readonly values: ArrayLike<number | null>;
}

/** A file is not what its name promises. The message has the place in it. */
export class CheckpointError extends Error {
  readonly code = "E_CHECKPOINT";

  constructor(message: string) {
    super(message);
    this.name = "CheckpointError";
  }
}
