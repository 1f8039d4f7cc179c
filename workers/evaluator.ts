/** Entry of an evaluator of queries: takes its wiring, then questions. */
import { workerScope } from "../src/base/worker_call.ts";
import {
  Evaluator,
  type EvaluatorStart,
} from "../src/prometheus/worker/evaluator.ts";
import type {
  FromEvaluator,
  ToEvaluator,
} from "../src/metricstore/transport/evaluator_messages.ts";

const worker = workerScope<EvaluatorStart | ToEvaluator, FromEvaluator>();

let evaluator: Evaluator | undefined;

worker.onmessage = ({ data }) => {
  if ("wiring" in data) {
    evaluator = new Evaluator(
      data,
      (message, transfer) => worker.postMessage(message, transfer),
    );
    void evaluator.listen();
    worker.postMessage({ kind: "ready" });
  } else evaluator?.take(data);
};
