/** Answers of pages that several rooms give. Main thread. */
import type { Context } from "hono";

const NOT_FOUND = "404 page not found\n";

/** The answer to a path that nobody serves. */
export function notFound(context: Context): Response {
  return context.text(NOT_FOUND, 404);
}

/** Whether a client wants a page for people, as browsers and curl do. */
export function acceptsPages(context: Context): boolean {
  return /text\/html|\*\/\*/.test(context.req.header("accept") ?? "");
}
