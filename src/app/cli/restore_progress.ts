/**
 * How far the restore is, in one line of a terminal that is drawn again and again
 * until the store is ready. Main thread.
 */
import { monotonicMs } from "../../base/clock.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { drawStatus } from "./output.ts";

/** A restore that takes less is not worth a line. */
const REDRAW_MS = 200;

/** Begins at once; where standard error is no terminal nothing is shown. */
export function showRestore(
  engine: Pick<MetricEngine, "state" | "stats">,
  isTerminal: boolean = Deno.stderr.isTerminal(),
  draw: (text: string) => void = drawStatus,
): void {
  if (!isTerminal) return;
  const startMs = monotonicMs();
  let isDrawn = false;
  const timer = setInterval(() => {
    if (engine.state === "restoring") {
      draw(restoreText(engine, (monotonicMs() - startMs) / 1000));
      isDrawn = true;
      return;
    }
    clearInterval(timer);
    if (isDrawn) draw("");
  }, REDRAW_MS);
}

function restoreText(
  engine: Pick<MetricEngine, "stats">,
  seconds: number,
): string {
  const samples = engine.stats().reduce(
    (sum, shard) => sum + shard.restoredSamples,
    0,
  );
  const millions = (count: number) => (count / 1e6).toFixed(1);
  return `restoring: ${millions(samples)} million samples, ${
    millions(samples / seconds)
  } million/s`;
}
