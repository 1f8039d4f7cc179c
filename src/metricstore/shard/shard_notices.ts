/** How a shard tells the operator something: a line of the main thread's log. */
import type { EngineNotice } from "../engine/metric_engine.ts";

export type Notify = (
  level: EngineNotice["level"],
  message: string,
  fields: EngineNotice["fields"],
) => void;
