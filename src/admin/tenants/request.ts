/** What a request to the admin API says beside its path: its JSON body, its switches. */
import { errorText } from "../../base/log.ts";
import type { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import type { ApiCall } from "../../http/api_route.ts";
import { checkSchema } from "../../http/body/json_text.ts";

/** The body, checked. Throws `E_BAD_REQUEST` that names the field and the value. */
export function readJson<Output>(
  { body }: Pick<ApiCall, "body">,
  schema: z.ZodType<Output>,
): Output {
  return checkSchema(schema, parse(body));
}

/** A parameter that is `true` or `false`; absent: false. */
export function readSwitch(
  { search }: Pick<ApiCall, "search">,
  name: string,
): boolean {
  const value = search.get(name);
  if (value === null || value === "false") return false;
  if (value === "true") return true;
  throw new ClientError(
    "E_BAD_REQUEST",
    `${name}: expected true or false, got ${
      JSON.stringify(value.slice(0, 60))
    }`,
  );
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function parse(body: Uint8Array): unknown {
  if (body.length === 0) {
    throw new ClientError("E_BAD_REQUEST", "the body: expected JSON, got none");
  }
  try {
    return JSON.parse(UTF8.decode(body));
  } catch (cause) {
    const reason = errorText(cause);
    throw new ClientError("E_BAD_REQUEST", `the body: not JSON: ${reason}`, {
      cause,
    });
  }
}
