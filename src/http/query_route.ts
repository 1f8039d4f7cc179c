/** `/api/query`: questions as JSON, answered by the engine as finished JSON. */
import { requireReadable } from "./engine_state.ts";
import type { Exchange } from "./exchange.ts";
import { parseJson } from "./json_text.ts";
import { checkQueryRequest } from "./query_request.ts";
import { readBody } from "./request_body.ts";
import { withTimes } from "./visible_times.ts";

export function handleQuery(exchange: Exchange): void {
  exchange.authorize("query", (scope) => {
    readBody(exchange, (body) => {
      const request = checkQueryRequest(parseJson(body));
      const { engine } = exchange.door;
      requireReadable(engine);
      withTimes(exchange, scope, request, (visible) => {
        engine.query(visible, request)
          .then((answer) => exchange.sendJson(answer))
          .catch((error) => exchange.fail(error));
      });
    }, exchange.jsonBytesMax);
  });
}
