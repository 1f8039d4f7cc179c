/** How far an import is: a bar on a terminal, else a line now and then. */
import { monotonicMs } from "../clock.ts";
import type { ImportProgress } from "../transfer/import_checkpoints.ts";
import { drawStatus, printError } from "./output.ts";

const BAR_CHARS = 30;
const REDRAW_MS = 100;
/** Between two lines where there is no terminal. */
const STEP_PERCENT = 10;

export class ProgressDisplay {
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #startMs = monotonicMs();
  #drawnMs = -Infinity;
  #nextPercent = STEP_PERCENT;

  show({ doneBytes, allBytes, samples }: ImportProgress): void {
    const done = allBytes === 0 ? 1 : doneBytes / allBytes;
    const percent = Math.floor(done * 100);
    const nowMs = monotonicMs();
    const seconds = (nowMs - this.#startMs) / 1000;
    const text = `${String(percent).padStart(3)} %  ${samples} samples  ${
      Math.round(samples / Math.max(seconds, 0.001))
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
