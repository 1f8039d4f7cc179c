/** Errors of parameters, as the API words them (prometheus-api 2.1). Any thread. */
import { ClientError } from "../../base/errors.ts";

/** The error of a parameter that is wrong. */
export function invalidParameter(
  name: string,
  why: string,
  cause?: unknown,
): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `invalid parameter "${name}": ${why}`,
    cause === undefined ? {} : { cause },
  );
}

/** Calls `read`; an error that it finds in the value becomes the parameter's error. */
export function namingParameter<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ClientError && error.code === "E_BAD_REQUEST") {
      throw invalidParameter(name, error.message, error);
    }
    throw error;
  }
}
