/**
 * Fields of a form, urlencoded or multipart. They come from the body alone: what is
 * in a URL lands in the logs of proxies, and links bring it.
 */
import { ClientError } from "../../base/errors.ts";
import type { ApiCall } from "../api_route.ts";

/** Fields by name. */
export type Form = (field: string) => string;

export const FORM_TYPE = "application/x-www-form-urlencoded";

/** No form here has more than ten. */
const FIELDS_MAX = 100;

/** A field that is absent is `""`. Throws `E_BAD_REQUEST` for a broken body. */
export async function readForm(
  call: Pick<ApiCall, "body" | "headers">,
): Promise<Form> {
  const type = call.headers["content-type"];
  const fields = call.body.byteLength === 0
    ? undefined
    : await parse(call.body, typeof type === "string" ? type : "");
  return (field) => {
    const value = fields?.get(field);
    return typeof value === "string" ? value : "";
  };
}

function parse(
  body: Uint8Array,
  type: string,
): Promise<FormData> | URLSearchParams {
  if (!type.startsWith("multipart/form-data")) {
    const text = new TextDecoder().decode(body);
    const fields = text.split("&", FIELDS_MAX + 1).length;
    if (fields > FIELDS_MAX) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `the form has more than ${FIELDS_MAX} fields`,
      );
    }
    return new URLSearchParams(text);
  }
  return new Response(body as Uint8Array<ArrayBuffer>, {
    headers: { "Content-Type": type },
  }).formData().catch((cause) => {
    throw new ClientError("E_BAD_REQUEST", `the form is broken: ${cause}`, {
      cause,
    });
  });
}
