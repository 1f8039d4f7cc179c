/** Why a query has no answer though its text is right. Any thread. */
import { ClientError, type ErrorCode } from "../../base/errors.ts";

/** As the envelope of the API names it. */
export type QueryErrorType = "bad_data" | "execution" | "timeout" | "canceled";

const CODES: Readonly<Record<QueryErrorType, ErrorCode>> = {
  bad_data: "E_BAD_REQUEST",
  execution: "E_UNPROCESSABLE",
  timeout: "E_OVERLOAD",
  canceled: "E_UNPROCESSABLE",
};

export class QueryError extends ClientError {
  readonly errorType: QueryErrorType;

  constructor(errorType: QueryErrorType, message: string) {
    super(CODES[errorType], message);
    this.name = "QueryError";
    this.errorType = errorType;
  }
}

/** The query cannot be evaluated over these series. */
export function failExecution(message: string): never {
  throw new QueryError("execution", message);
}
