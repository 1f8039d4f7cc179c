/** Fields of a form, from the body (urlencoded or multipart) and the query string. */
import { ClientError } from "../errors.ts";
import type { ApiCall } from "./api_route.ts";

/** Fields by name; the body comes before the query string. */
export type Form = (field: string) => string;

/** A field that is absent is `""`. Throws `E_BAD_REQUEST` for a broken body. */
export async function readForm(
  call: Pick<ApiCall, "body" | "headers" | "search">,
): Promise<Form> {
  const type = call.headers["content-type"];
  const fields = call.body.byteLength === 0
    ? undefined
    : await parse(call.body, typeof type === "string" ? type : "");
  return (field) => {
    const value = fields?.get(field);
    return typeof value === "string" ? value : call.search.get(field) ?? "";
  };
}

function parse(
  body: Uint8Array,
  type: string,
): Promise<FormData> | URLSearchParams {
  if (!type.startsWith("multipart/form-data")) {
    return new URLSearchParams(new TextDecoder().decode(body));
  }
  return new Response(body as Uint8Array<ArrayBuffer>, {
    headers: { "Content-Type": type },
  }).formData().catch((cause) => {
    throw new ClientError("E_BAD_REQUEST", `the form is broken: ${cause}`, {
      cause,
    });
  });
}
