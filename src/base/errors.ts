/**
 * Errors that callers catch. Each has a stable `code`; one table maps codes to HTTP
 * statuses. A custom error crossing a worker boundary arrives without its class, so
 * messages between threads carry `code` and `message` instead.
 */

/** The codes a client can cause or be answered with, and their HTTP status. */
export const STATUS_BY_CODE = {
  E_BAD_REQUEST: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_METHOD: 405,
  E_TOO_SLOW: 408,
  E_CONFLICT: 409,
  E_PRECONDITION: 412,
  E_TOO_LARGE: 413,
  E_ENCODING: 415,
  E_TOO_MANY_SAMPLES: 422,
  E_UNPROCESSABLE: 422,
  E_RATE: 429,
  E_INTERNAL: 500,
  E_OVERLOAD: 503,
  E_NOT_READY: 503,
  E_SHARD_LOST: 503,
  E_STORAGE: 503,
} as const;

export type ErrorCode = keyof typeof STATUS_BY_CODE;

/** A request that cannot be served, with the reason as the client reads it. */
export class ClientError extends Error {
  readonly code: ErrorCode;
  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  readonly retryAfterSec: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSec?: number } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "ClientError";
    this.code = code;
    this.retryAfterSec = options.retryAfterSec;
  }

  get status(): number {
    return STATUS_BY_CODE[this.code];
  }
}
