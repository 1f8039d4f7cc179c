/** Entry of an evaluator of queries: takes its wiring, then questions. */
import {
  Evaluator,
  type EvaluatorStart,
} from "../src/prometheus/worker/evaluator.ts";
import type {
  FromEvaluator,
  ToEvaluator,
} from "../src/metricstore/transport/evaluator_messages.ts";

const worker = self as unknown as {
  onmessage: (event: MessageEvent<EvaluatorStart | ToEvaluator>) => void;
  postMessage(message: FromEvaluator, transfer: ArrayBuffer[]): void;
};

let evaluator: Evaluator | undefined;

worker.onmessage = ({ data }) => {
  if ("wiring" in data) {
    evaluator = new Evaluator(
      data,
      (message, transfer) => worker.postMessage(message, transfer),
    );
    void evaluator.listen();
    worker.postMessage({ kind: "ready" }, []);
  } else evaluator?.take(data);
};
