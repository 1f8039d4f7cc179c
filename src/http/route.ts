/**
 * What a route is. All routes stand in one table (routes.ts): dispatch, the 405
 * answers, rights and the API document come from it, so they cannot differ.
 */
import type { z } from "zod";
import type { Action } from "../access/principal.ts";
import type { ApiRoute } from "./api_route.ts";
import type { HttpContext } from "./http_context.ts";
import type { Exchange } from "./exchange.ts";

export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly type: "string" | "integer" | "boolean";
  /** What its values keep to besides, in the words of JSON Schema. */
  readonly rules?: {
    readonly enum?: readonly string[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly pattern?: string;
  };
  /** Absent: in the query string. Parts of a path need not be listed: they are texts. */
  readonly in?: "query" | "header" | "path";
  readonly required?: boolean;
  /** It may be given several times. */
  readonly repeated?: boolean;
}

/** Integers that a double holds exactly: no others are taken. */
export const SAFE_INTEGER = {
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
} as const;

/** A body that is sent. */
export interface Content {
  readonly type: string;
  readonly description?: string;
  readonly schema?: z.ZodType;
  readonly example?: unknown;
}

/** What is answered; without a type there is no body. */
export type Answer = Omit<Content, "type"> & { readonly type?: string };

/** An answer besides the usual one, with a body that is not the usual error. */
export type OtherAnswer = Answer & { readonly description: string };

/** One method of a route, as documented. */
export interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: Content & { readonly required: boolean };
  readonly answer: Answer;
  /** Of a request that succeeds; absent: 200. */
  readonly status?: number;
  /** Statuses besides that one and those every route can give, or instead of these. */
  readonly errors?: Readonly<Record<number, string | OtherAnswer>>;
}

/**
 * Who may see a page: anybody; for `metrics` an administrator, or anybody if they
 * are public; for `document` any principal, with `-dev` anybody.
 */
export type PageAccess = "public" | "metrics" | "document";

interface Described {
  /** Exactly, and with a slash at the end. */
  readonly path: string;
  /** In metrics and logs. */
  readonly name: string;
  /** GET brings HEAD with it. */
  readonly operations: { readonly GET?: Operation; readonly POST?: Operation };
}

/** Served from the streams of `node:http`, also under the alias prefix and with any suffix. */
export interface MetricRoute extends Described {
  readonly kind: "metric";
  readonly access: Action;
  /** GET counts as POST where it brings a body. */
  readonly getWithBody?: boolean;
  /** Asks the exchange to authorize, then answers it. */
  handle(exchange: Exchange): void;
}

/** A page, or a file of one: GET alone, without a body. */
export interface PageRoute extends Omit<ApiRoute, "kind" | "group"> {
  readonly kind: "page";
  readonly group: "page";
  readonly access: PageAccess;
  /** Whether anybody may see it now; absent: as `access` says. */
  readonly isOpen?: (context: Pick<HttpContext, "config">) => boolean;
}

export type Route = MetricRoute | PageRoute | ApiRoute;

/** The value of `Allow` for a route. */
export function allowedMethods(
  route: Pick<MetricRoute | PageRoute, "operations">,
): string {
  const { GET, POST } = route.operations;
  return [...(GET ? ["GET", "HEAD"] : []), ...(POST ? ["POST"] : [])]
    .join(", ");
}
