/** Answers of pages that several rooms give. Main thread. */
import type { ApiAnswer, ApiCall } from "../api_route.ts";

export const PAGE_TEXT = "text/plain; charset=UTF-8";
const PAGE_HTML = "text/html; charset=UTF-8";
export const METHOD_NOT_ALLOWED = "Method Not Allowed\n";

type Headers = Readonly<Record<string, string>>;

export function textPage(
  status: number,
  body: string,
  headers: Headers = {},
): ApiAnswer {
  return { status, headers: { "Content-Type": PAGE_TEXT, ...headers }, body };
}

export function htmlPage(body: string, headers: Headers = {}): ApiAnswer {
  return {
    status: 200,
    headers: { "Content-Type": PAGE_HTML, ...headers },
    body,
  };
}

/** The answer to an unknown path. */
export const PAGE_NOT_FOUND: ApiAnswer = textPage(404, "404 page not found\n");

/** Whether a client wants a page for people, as browsers and curl do. */
export function acceptsPages({ headers }: Pick<ApiCall, "headers">): boolean {
  return /text\/html|\*\/\*/.test(String(headers["accept"] ?? ""));
}
