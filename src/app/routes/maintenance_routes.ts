/** `/api/free` and `/api/debug`: what an administrator may do to the memory. */
import { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import { requireReadable } from "./engine_state.ts";
import type { Exchange } from "../../http/exchange.ts";
import { withJson } from "../../http/json_pieces.ts";
import type { MetricServices } from "./services.ts";
import { textsOf, unexpected } from "../../http/body/json_text.ts";
import { readBody } from "../../http/body/request_body.ts";

export const selectorsSchema = z.array(z.array(z.string())).nullable()
  .describe('Paths of names, such as `[["fritz","f0201"],["alex"]]`.')
  .meta({ id: "Selectors" });

export function handleFree(
  { engine }: MetricServices,
  exchange: Exchange,
): void {
  exchange.authorize("free", (scope) => {
    const toSec = requiredTime(exchange.parameters().get("to"));
    readBody(exchange, (body) => {
      withJson(body, async (value) => {
        const selectors = selectorsOf(value);
        requireReadable(engine);
        const count = await engine.free(scope, selectors, toSec);
        exchange.send(
          200,
          { "Content-Type": "text/plain; charset=utf-8" },
          `buffers freed: ${count}\n`,
        );
      }).catch((error) => exchange.fail(error));
    }, exchange.jsonBytesMax);
  });
}

/** What the schema says, without noting everything that is wrong. */
function selectorsOf(value: unknown): string[][] {
  if (value === null) return [];
  if (!Array.isArray(value)) {
    throw unexpected("the body", "an array of paths", value);
  }
  return value.map((path, index) => textsOf(path, () => `selectors[${index}]`));
}

function requiredTime(text: string | null): number {
  if (text === null || text === "") {
    throw new ClientError(
      "E_BAD_REQUEST",
      "'to' is a required query parameter",
    );
  }
  const seconds = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new ClientError(
    "E_BAD_REQUEST",
    `to: expected Unix time in seconds, got ${
      JSON.stringify(text.slice(0, 40))
    }`,
  );
}

export function handleDebug(
  { engine }: MetricServices,
  exchange: Exchange,
): void {
  exchange.authorize("debug", (scope) => {
    const selector = exchange.parameters().get("selector") ?? "";
    requireReadable(engine);
    engine.debug(scope, selector === "" ? [] : selector.split(":"))
      .then((answer) => exchange.sendJson(answer))
      .catch((error) => exchange.fail(error));
  });
}
