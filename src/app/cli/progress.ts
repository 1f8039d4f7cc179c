/** How far long work is: a bar on a terminal, else a line now and then. */
import { monotonicMs } from "../../base/clock.ts";
import { drawStatus, printError } from "./output.ts";

const BAR_CHARS = 30;
const REDRAW_MS = 100;
/** Between two lines where there is no terminal. */
const STEP_PERCENT = 10;

export interface Progress {
  /** In the unit of `all`. */
  readonly done: number;
  readonly all: number;
  /** Things dealt with. */
  readonly count: number;
}

export class ProgressDisplay {
  /** What the things are called. */
  readonly #things: string;
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #startMs = monotonicMs();
  #drawnMs = -Infinity;
  #nextPercent = STEP_PERCENT;

  constructor(things: string) {
    this.#things = things;
  }

  show(progress: Progress): void {
    const { all, count } = progress;
    const done = all === 0 ? 1 : progress.done / all;
    const percent = Math.floor(done * 100);
    const nowMs = monotonicMs();
    const seconds = (nowMs - this.#startMs) / 1000;
    const text = `${String(percent).padStart(3)} %  ${count} ${this.#things}  ${
      Math.round(count / Math.max(seconds, 0.001))
    }/s`;
    if (this.#isTerminal) {
      if (nowMs - this.#drawnMs < REDRAW_MS) return;
      this.#drawnMs = nowMs;
      const filled = Math.round(done * BAR_CHARS);
      drawStatus(`[${"#".repeat(filled).padEnd(BAR_CHARS)}] ${text}`);
    } else if (percent >= this.#nextPercent) {
      this.#nextPercent = (Math.floor(percent / STEP_PERCENT) + 1) *
        STEP_PERCENT;
      printError(text.trimStart());
    }
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#isTerminal) drawStatus("");
  }
}
