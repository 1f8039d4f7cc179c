/** `/api/query`: questions as JSON, answered by the engine as finished JSON. */
import type { QueryRequest } from "../../metricstore/engine/metric_engine.ts";
import { requireReadable } from "./engine_state.ts";
import type { Exchange } from "../../http/exchange.ts";
import { parseJson } from "../../http/body/json_text.ts";
import { LONG_JSON_BYTES, parseJsonInTurns } from "../../http/json_pieces.ts";
import {
  checkQueryRequest,
  checkQueryRequestInTurns,
} from "./query_request.ts";
import { readBody } from "../../http/body/request_body.ts";
import type { MetricServices } from "./services.ts";
import { withTimes } from "./visible_times.ts";

export function handleQuery(
  { engine, jobs }: MetricServices,
  exchange: Exchange,
): void {
  exchange.authorize("query", (scope) => {
    readBody(exchange, (body) => {
      const ask = (request: QueryRequest) => {
        requireReadable(engine);
        withTimes(jobs.times, exchange, scope, request, (visible) => {
          engine.query(visible, request)
            .then((answer) => exchange.sendJson(answer))
            .catch((error) => exchange.fail(error));
        });
      };
      if (body.length < LONG_JSON_BYTES) {
        ask(checkQueryRequest(parseJson(body)));
      } else {
        parseJsonInTurns(body).then(checkQueryRequestInTurns).then(ask)
          .catch((error) => exchange.fail(error));
      }
    }, exchange.jsonBytesMax);
  });
}
