/** Messages between the main thread and an evaluator of queries. */
import type { MetricTable } from "../engine/metric_engine.ts";
import type { QueryAnswer, QueryJob } from "../engine/query_jobs.ts";
import type { AskedView } from "./messages.ts";

/** main → evaluator. */
export type ToEvaluator =
  | {
    readonly kind: "job";
    readonly id: number;
    readonly instance: string;
    readonly view?: AskedView;
    readonly job: QueryJob;
  }
  /** Metrics that came since the start. */
  | { readonly kind: "metrics"; readonly added: MetricTable }
  /** The answer is not wanted any more. */
  | { readonly kind: "cancel"; readonly id: number };

/** evaluator → main; the first message says that it listens. */
export type FromEvaluator =
  | { readonly kind: "ready" }
  | {
    readonly kind: "answer";
    readonly id: number;
    readonly answer: QueryAnswer;
  }
  | { readonly kind: "fault"; readonly id: number; readonly message: string };
