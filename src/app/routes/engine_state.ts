/** What may be asked of the engine in which of its states. */
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import { ClientError } from "../../base/errors.ts";

/** Seconds after which a client may see whether the restore is done. */
const RESTORE_RETRY_SEC = 2;

/** Throws `E_NOT_READY` unless samples can be taken; while restoring they can. */
export function requireWritable(engine: MetricEngine): void {
  const { state } = engine;
  if (state === "ready" || state === "restoring") return;
  throw new ClientError("E_NOT_READY", `the metric store is ${state}`);
}

/** Throws `E_NOT_READY` unless everything stored can be seen. */
export function requireReadable(engine: MetricEngine): void {
  const { state } = engine;
  if (state === "ready") return;
  throw new ClientError(
    "E_NOT_READY",
    `the metric store is ${state}`,
    state === "restoring" ? { retryAfterSec: RESTORE_RETRY_SEC } : {},
  );
}
