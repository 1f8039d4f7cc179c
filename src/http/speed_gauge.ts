/**
 * Whether a transfer keeps to the least speed: so many bytes a second over any span
 * of the given length. It is told now and then how far the transfer is. Main thread.
 */

/** The least speed, and over which span it holds. */
export interface SpeedLimits {
  /** A transfer under way must keep to this on average. */
  readonly bytesPerSecMin: number;
  /** Over any span of this length. */
  readonly slowMs: number;
}

interface Mark {
  readonly atMs: number;
  readonly bytes: number;
}

export class SpeedGauge {
  readonly #limits: SpeedLimits;
  /** What was told during the span, and the last before it. */
  readonly #marks: Mark[] = [];

  constructor(limits: SpeedLimits) {
    this.#limits = limits;
  }

  /** Begins anew: what was not moved until now is nobody's fault. */
  restart(): void {
    this.#marks.length = 0;
  }

  /** Notes that `bytes` were moved in all; whether the span up to now had too few. */
  isTooSlow(nowMs: number, bytes: number): boolean {
    const { bytesPerSecMin, slowMs } = this.#limits;
    const marks = this.#marks;
    marks.push({ atMs: nowMs, bytes });
    while (marks.length > 1 && nowMs - marks[1]!.atMs >= slowMs) marks.shift();
    const first = marks[0]!;
    const spanMs = nowMs - first.atMs;
    return spanMs >= slowMs &&
      (bytes - first.bytes) * 1000 < bytesPerSecMin * spanMs;
  }
}
