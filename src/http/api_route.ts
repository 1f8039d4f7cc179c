/**
 * Routes of the admin API, the job API and the pages of people: what a handler
 * gets and gives. Handlers see neither sockets nor the router. Main thread.
 */
import type { Principal } from "../access/mod.ts";
import type { CredentialPlace, RequestHeaders } from "../access/credentials.ts";
import type { JsonBody } from "../metricstore/engine/metric_engine.ts";
import type { BodyStream } from "./body_stream.ts";
import type { Operation } from "./route.ts";

/**
 * Which rules a route follows: the admin API (GEM), the job API for programs
 * (`/api`) and for users (`/userapi`), the Prometheus API, pages of administrators (`/config`) and of
 * anybody logged in (`/frontend`), what the pages of the web interface ask for
 * (`/web/api`), or everybody.
 */
export type Group =
  | "admin"
  | "job"
  | "userapi"
  | "config"
  | "frontend"
  | "prometheus"
  | "web"
  | "page"
  | "public";

export const API_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
export type ApiMethod = typeof API_METHODS[number];

/** A request that was let in, its body read. */
export interface ApiCall {
  readonly method: ApiMethod;
  readonly path: string;
  /** Parts of the path by name, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly search: URLSearchParams;
  /** The part of the URL after `?`, undecoded. */
  readonly query: string;
  readonly headers: RequestHeaders;
  /** Empty where there was none. */
  readonly body: Uint8Array;
  /** Address of the client, as far as trusted proxies tell. */
  readonly from: string;
  /** Whether the client came by HTTPS, also as far as trusted proxies tell. */
  readonly isSecure: boolean;
  readonly principal: Principal;
  /**
   * Finds out who asks where the route does not need to know. Throws or rejects with
   * `E_UNAUTHENTICATED` for a caller without a good credential.
   */
  authenticate(place?: CredentialPlace): Principal | Promise<Principal>;
  /** Arrival, Unix milliseconds. */
  readonly nowMs: number;
  /**
   * Names what the operation changes, for the audit: names of things and rights, never
   * their contents. `who`: where the request itself finds out who that is.
   */
  audit(object: string, who?: string): void;
  /** Calls `listener` once nobody waits for the answer any more. */
  whenGone(listener: () => void): void;
  /** Notes for log and metrics that somebody was refused whom the answer treats kindly. */
  refused(reason: string, who: string): void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** In pieces where it is long; made while it is sent where it may be very long. */
  readonly body: string | Uint8Array | JsonBody | BodyStream;
}

export interface ApiOperation extends Operation {
  /** Job routes: what a token of the admin API needs. */
  readonly scope?: "jobs:read" | "jobs:write";
  /** The change is written to the audit; the handler names its object. */
  readonly audited?: boolean;
  handle(call: ApiCall): ApiAnswer | Promise<ApiAnswer>;
}

export interface ApiRoute {
  readonly kind: "api";
  readonly group: Exclude<Group, "page">;
  /** Also with a slash at the end; `:name` stands for one part of the path. */
  readonly path: string;
  /** In metrics and logs. */
  readonly name: string;
  /** The same as another route that the API document has. */
  readonly undocumented?: boolean;
  /** Whether the configuration wants it; absent: always. */
  readonly when?: () => boolean;
  readonly operations: Readonly<Partial<Record<ApiMethod, ApiOperation>>>;
}

type Handler<Services> = (
  services: Services,
  call: ApiCall,
) => ApiAnswer | Promise<ApiAnswer>;

/** Makes handlers of functions that take what they work with as the first argument. */
export function bindTo<Services>(
  services: Services,
): (handler: Handler<Services>) => ApiOperation["handle"] {
  return (handler) => (call) => handler(services, call);
}

export const JSON_TYPE = "application/json";

/** An answer with a JSON body and its newline. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return {
    status,
    headers: { "Content-Type": JSON_TYPE, ...headers },
    body: JSON.stringify(value) + "\n",
  };
}

export function text(status: number, body: string): ApiAnswer {
  return {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body,
  };
}

export function empty(status: number): ApiAnswer {
  return { status, body: "" };
}
