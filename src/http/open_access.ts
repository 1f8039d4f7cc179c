/**
 * What a server with `main.disable-authentication` asks of browsers, since it asks
 * nobody for a credential: without it every page that the operator visits could read
 * and change everything. Main thread.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { type OwnAddress, sourceOf } from "./origin.ts";

type Request = Pick<IncomingMessage, "headers" | "method">;

export interface OpenAccessNames {
  /** Host of `main.addr`, and the name of the machine. */
  readonly hosts: readonly string[];
}

/** Why a request is refused; `undefined`: it is not. */
export function openAccessProblem(
  req: Request,
  own: OwnAddress,
  { hosts }: OpenAccessNames,
): string | undefined {
  const name = hostName(req.headers.host);
  // A page can have its name point at this machine, never at an address of its own.
  if (name !== undefined && !isOwnName(name, own.baseUrl, hosts)) {
    return `Host: this server, which asks nobody for a credential, is not known as ${
      JSON.stringify(name.slice(0, 100))
    }: set main.base-url`;
  }
  if (sourceOf(req, own) !== "foreign" || isVisit(req)) return undefined;
  return "cross-origin requests are refused";
}

/** Somebody follows a link: the page with the link does not see the answer. */
function isVisit({ method, headers }: Request): boolean {
  return method === "GET" && headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document";
}

/** Without port and brackets; `undefined`: the request has none. */
function hostName(host: string | undefined): string | undefined {
  if (host === undefined || host === "") return undefined;
  const bracketed = /^\[([^\]]+)\]/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d*$/, "")).toLowerCase();
}

function isOwnName(
  name: string,
  baseUrl: string,
  hosts: readonly string[],
): boolean {
  return isIP(name) !== 0 || name === "localhost" ||
    name.endsWith(".localhost") ||
    hosts.some((host) => host.toLowerCase() === name) ||
    URL.parse(baseUrl)?.hostname === name;
}
