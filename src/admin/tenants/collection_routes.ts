/**
 * Makes the two routes of a collection of the admin API: the list, where new ones
 * are made, and the single resource. What differs between the collections is data.
 */
import type { z } from "zod";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiOperation,
  type ApiRoute,
  empty,
  json,
  JSON_TYPE,
} from "../../http/api_route.ts";
import type { Parameter } from "../../http/route.ts";
import type { AdminService } from "./admin_service.ts";
import { checkIfMatch, entityTag } from "./entity_tag.ts";
import { readSwitch } from "./request.ts";
import { badRequest, type Shown, type VersionCheck } from "./resource.ts";

const BASE = "/admin/api/v1";
const VERSION = "The `ETag` of the answer is the version, counting from 1.";
const GONE = "There is no such resource.";
const STALE = "`If-Match` names another version.";
const TOO_LARGE = "The body is larger than 1 MiB.";

const ALL: Parameter = {
  name: "include-non-active",
  type: "boolean",
  description: "Also those that are not active.",
};

const IF_MATCH: Parameter = {
  name: "If-Match",
  in: "header",
  type: "string",
  description: "The version the client has seen; absent: any.",
};

interface Body {
  readonly schema: z.ZodType;
  readonly example?: unknown;
}

export interface Collection<Item> {
  readonly path: string;
  /** In the ids of operations: of one, and of many. */
  readonly id: string;
  readonly ids: string;
  /** In sentences. */
  readonly one: string;
  readonly many: string;
  /** `type` of a list. */
  readonly type: string;
  readonly item: z.ZodType;
  readonly list: z.ZodType;
  readAll(admin: AdminService, all: boolean): Item[] | Promise<Item[]>;
  read(admin: AdminService, name: string): Promise<Shown<Item>>;
  /** Absent: they cannot be changed here, and all of them are active. */
  readonly create?: Body & {
    readonly answer?: z.ZodType;
    readonly conflict?: string;
    make(
      admin: AdminService,
      call: ApiCall,
    ): Promise<Shown<Item & { readonly name: string }>>;
  };
  readonly change?: Body & {
    make(
      admin: AdminService,
      name: string,
      checkVersion: VersionCheck,
      call: ApiCall,
    ): Promise<Shown<Item>>;
  };
  readonly delete?: {
    readonly description: string;
    readonly parameters?: readonly Parameter[];
    readonly conflict?: string;
    make(
      admin: AdminService,
      name: string,
      checkVersion: VersionCheck,
      call: ApiCall,
    ): Promise<void>;
  };
}

export function collectionRoutes<Item>(
  admin: AdminService,
  collection: Collection<Item>,
): readonly ApiRoute[] {
  const { path, create } = collection;
  const isReadOnly = create === undefined;
  const read = readOperation(admin, collection);
  return [
    {
      kind: "api",
      group: "admin",
      path: `${BASE}/${path}`,
      name: `admin-${path}`,
      operations: {
        GET: listOperation(admin, collection),
        ...(create && { POST: createOperation(admin, collection, create) }),
      },
    },
    {
      kind: "api",
      group: "admin",
      path: `${BASE}/${path}/:name`,
      name: `admin-${path}-one`,
      operations: {
        GET: read,
        ...(isReadOnly ? {} : { POST: readByPost(read) }),
        ...(collection.change &&
          { PUT: changeOperation(admin, collection, collection.change) }),
        ...(collection.delete &&
          { DELETE: deleteOperation(admin, collection, collection.delete) }),
      },
    },
  ];
}

function listOperation<Item>(
  admin: AdminService,
  collection: Collection<Item>,
): ApiOperation {
  const { ids, many, type, create } = collection;
  return {
    id: `list${ids}`,
    summary: `List ${many}`,
    ...(create ? { parameters: [ALL] } : {}),
    answer: { type: JSON_TYPE, schema: collection.list },
    async handle(call) {
      const all = create !== undefined && readSwitch(call, ALL.name);
      const items = await collection.readAll(admin, all);
      return json(200, { items, type });
    },
  };
}

function readOperation<Item>(
  admin: AdminService,
  collection: Collection<Item>,
): ApiOperation {
  return {
    id: `read${collection.id}`,
    summary: `Read ${collection.one}`,
    description: VERSION,
    answer: { type: JSON_TYPE, schema: collection.item },
    errors: { 404: GONE },
    async handle({ params }) {
      return shown(
        200,
        await collection.read(admin, params["name"]!),
      );
    },
  };
}

/** The source text prints reading as POST. */
function readByPost(read: ApiOperation): ApiOperation {
  return {
    ...read,
    id: `${read.id}ByPost`,
    description: `Without a body. ${VERSION}`,
    errors: { ...read.errors, 413: TOO_LARGE },
    handle(call) {
      if (call.body.length === 0) return read.handle(call);
      throw badRequest("the body: none is expected; PUT changes a resource");
    },
  };
}

function createOperation<Item>(
  admin: AdminService,
  collection: Collection<Item>,
  { schema, example, answer, conflict, make }: NonNullable<
    Collection<Item>["create"]
  >,
): ApiOperation {
  return {
    id: `create${collection.id}`,
    summary: `Create ${collection.one}`,
    description: `\`Location\` is its path. ${VERSION}`,
    body: { type: JSON_TYPE, schema, example, required: true },
    status: 201,
    answer: { type: JSON_TYPE, schema: answer ?? collection.item },
    errors: {
      409: conflict ?? "The name is taken, be it by one that is inactive.",
      413: TOO_LARGE,
    },
    audited: true,
    async handle(call) {
      call.audit(`${collection.path}/?`);
      const made = await make(admin, call);
      call.audit(
        `${collection.path}/${made.value.name}${rightsOf(made.value)}`,
      );
      return shown(201, made, {
        "Location": `${BASE}/${collection.path}/${made.value.name}`,
        "Cache-Control": "no-store",
      });
    },
  };
}

function changeOperation<Item>(
  admin: AdminService,
  collection: Collection<Item>,
  { schema, example, make }: NonNullable<Collection<Item>["change"]>,
): ApiOperation {
  return {
    id: `change${collection.id}`,
    summary: `Change ${collection.one}`,
    description: VERSION,
    parameters: [IF_MATCH],
    body: { type: JSON_TYPE, schema, example, required: true },
    answer: { type: JSON_TYPE, schema: collection.item },
    errors: { 404: GONE, 412: STALE, 413: TOO_LARGE },
    audited: true,
    async handle(call) {
      const name = call.params["name"]!;
      call.audit(`${collection.path}/${name}`);
      const made = await make(admin, name, versionCheck(call), call);
      call.audit(`${collection.path}/${name}${rightsOf(made.value)}`);
      return shown(200, made);
    },
  };
}

function deleteOperation<Item>(
  admin: AdminService,
  collection: Collection<Item>,
  { description, parameters = [], conflict, make }: NonNullable<
    Collection<Item>["delete"]
  >,
): ApiOperation {
  return {
    id: `delete${collection.id}`,
    summary: `Delete ${collection.one}`,
    description,
    parameters: [...parameters, IF_MATCH],
    status: 204,
    answer: {},
    errors: {
      404: GONE,
      ...(conflict === undefined ? {} : { 409: conflict }),
      412: STALE,
      413: TOO_LARGE,
    },
    audited: true,
    async handle(call) {
      const name = call.params["name"]!;
      call.audit(`${collection.path}/${name}`);
      await make(admin, name, versionCheck(call), call);
      return empty(204);
    },
  };
}

/** What a resource grants, for the audit. */
function rightsOf(value: unknown): string {
  const { access_policy: policy, scopes, realms, status, limits } = value as {
    readonly access_policy?: string;
    readonly scopes?: readonly string[];
    readonly realms?: unknown;
    readonly status?: string;
    readonly limits?: unknown;
  };
  return Object.entries({ policy, scopes, realms, status, limits })
    .filter(([, part]) => part !== undefined)
    .map(([key, part]) => ` ${key}=${JSON.stringify(part)}`).join("");
}

function versionCheck({ headers }: ApiCall): VersionCheck {
  return (version) => checkIfMatch(headers["if-match"], version);
}

function shown(
  status: number,
  { value, version }: Shown<unknown>,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return json(status, value, { ...entityTag(version), ...headers });
}
