/** The envelope of answers by the Prometheus API (prometheus-api 2.1). Pure. */
import { z } from "zod";
import { type ApiAnswer, JSON_TYPE } from "../../http/api_route.ts";
import type { Answer } from "../../http/route.ts";

const envelopeSchema = z.looseObject({
  status: z.string().describe("`success` or `error`."),
  data: z.unknown().optional().describe("What was asked for."),
  errorType: z.string().optional(),
  error: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
}).meta({ id: "PrometheusAnswer" });

export const JSON_ANSWER: Answer = {
  type: JSON_TYPE,
  schema: envelopeSchema,
};

/** The error of a question. */
export function failure(
  status: number,
  errorType: string,
  error: string,
): ApiAnswer {
  return {
    status,
    headers: { "Content-Type": JSON_TYPE },
    body: JSON.stringify({ status: "error", errorType, error }),
  };
}

/** 200 with `data`. */
export function success(data: unknown): ApiAnswer {
  return {
    status: 200,
    headers: { "Content-Type": JSON_TYPE },
    body: JSON.stringify({ status: "success", data }),
  };
}
