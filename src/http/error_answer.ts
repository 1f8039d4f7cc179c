/** How an error reads on the wire; the same for every route. */
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { ClientError, type ErrorCode } from "../errors.ts";
import { errorText } from "../log.ts";
import type { Door } from "./door.ts";
import { RETRY_AFTER_SEC } from "./limits.ts";
import type { Telemetry } from "./telemetry.ts";

/** The error object of the contract. */
export const ERROR_SCHEMA = z.object({
  status: z.string().describe("The status in words."),
  error: z.string().describe("What is wrong."),
}).meta({ id: "Error" });

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: string;
}

/** The error object as text, with its newline. */
export function errorObject(status: number, message: string): string {
  return JSON.stringify({ status: reasonPhrase(status), error: message }) +
    "\n";
}

export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? "Error";
}

/**
 * Turns an error into an answer. Anything but a `ClientError` is our fault, and so
 * is `E_INTERNAL`, by which other threads report theirs: it is logged with its
 * stack, and the client learns no more than that. Refusals are counted.
 */
export function errorAnswer(
  error: unknown,
  door: Pick<Door, "log"> & { telemetry: Pick<Telemetry, "countDenied"> },
): ErrorAnswer {
  if (!(error instanceof ClientError) || error.code === "E_INTERNAL") {
    const stack = error instanceof Error ? error.stack : undefined;
    door.log.err("a request failed", { error: errorText(error), stack });
    return {
      status: 500,
      headers: { "Content-Type": "application/json" },
      body: errorObject(500, "internal error"),
    };
  }
  const reason = deniedReason(error.code);
  if (reason !== undefined) {
    door.telemetry.countDenied(reason);
    door.log.info("access refused", { reason, message: error.message });
  }
  if (error.status === 401) {
    // Clients of upstream read this one as text.
    return {
      status: 401,
      headers: {
        "Content-Type": "text/plain; charset=utf-8",
        "WWW-Authenticate": "Bearer",
      },
      body: error.message + "\n",
    };
  }
  const headers: Record<string, string | number> = {
    "Content-Type": "application/json",
  };
  if (error.status === 503 || error.retryAfterSec !== undefined) {
    headers["Retry-After"] = error.retryAfterSec ?? RETRY_AFTER_SEC;
  }
  return {
    status: error.status,
    headers,
    body: errorObject(error.status, error.message),
  };
}

function deniedReason(code: ErrorCode): string | undefined {
  if (code === "E_UNAUTHENTICATED") return "unauthenticated";
  return code === "E_FORBIDDEN" ? "forbidden" : undefined;
}
