/**
 * `/api/machine_state/{cluster}/{host}`: keeps what a node tells of itself as it
 * is, one file a node (job-api 2.15). Main thread.
 *
 * Bounded: nodes of configured clusters only, `STATE_BYTES_MAX` each, and as many files
 * of a cluster as it may have nodes. Only plain files are read: a link in the directory
 * leads nowhere.
 */
import type { JobServices } from "../lifecycle/services.ts";
import { NODES_MAX } from "../../db/node_table.ts";
import { ClientError } from "../../base/errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  bindTo,
  empty,
  JSON_TYPE,
} from "../../http/api_route.ts";
import { fileAnswer } from "../../http/answer/file_answer.ts";

/** File names of the system are no longer. */
const NAME_BYTES_MAX = 200;
const STATE_BYTES_MAX = 4 << 20;

function fileOf(
  services: JobServices,
  call: ApiCall,
): { directory: string; file: string } {
  const { cluster = "", host = "" } = call.params;
  for (const [field, name] of [["cluster", cluster], ["host", host]] as const) {
    const bytes = new TextEncoder().encode(name).length;
    if (
      name === "" || name === "." || name.includes("..") ||
      /[/\\\p{Cc}]/u.test(name) || bytes > NAME_BYTES_MAX
    ) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `${field}: a name without "..", "/", "\\" and control characters is expected, got ${
          JSON.stringify(name.slice(0, 60))
        }`,
      );
    }
  }
  const directory = `${services.machineStateDir}/${cluster}`;
  return { directory, file: `${directory}/${host}.json` };
}

function requireCluster(call: ApiCall): void {
  const { clusters } = call.principal.jobView();
  if (clusters === undefined || clusters.has(call.params.cluster ?? "")) return;
  throw new ClientError("E_UNAUTHENTICATED", "no realm for that cluster");
}

/** Throws `E_NOT_FOUND` if the path names no node of a configured cluster. */
function requireNode(services: JobServices, call: ApiCall): void {
  const { cluster = "", host = "" } = call.params;
  const { clusters } = services;
  if (clusters.subClusterOfNode(cluster, host) !== undefined) return;
  const name = JSON.stringify(host.slice(0, 60));
  throw new ClientError(
    "E_NOT_FOUND",
    clusters.get(cluster) === undefined
      ? `cluster: ${JSON.stringify(cluster.slice(0, 60))} is not configured`
      : `host: no sub-cluster of ${cluster} has the node ${name}`,
  );
}

async function store(services: JobServices, call: ApiCall): Promise<ApiAnswer> {
  requireCluster(call);
  const { directory, file } = fileOf(services, call);
  requireNode(services, call);
  if (call.body.byteLength > STATE_BYTES_MAX) {
    throw new ClientError(
      "E_TOO_LARGE",
      `the state of a node has at most ${STATE_BYTES_MAX} bytes, got ${call.body.byteLength}`,
    );
  }
  await Deno.mkdir(directory, { recursive: true });
  await requireRoom(directory, file);
  const part = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    await Deno.writeFile(part, call.body);
    await Deno.rename(part, file);
  } catch (error) {
    await Deno.remove(part).catch(ignoreMissing);
    throw error;
  }
  return empty(201);
}

/** A cluster whose `nodes` is a wildcard takes any name, but not any number of them. */
async function requireRoom(directory: string, file: string): Promise<void> {
  if (await isPlainFile(file)) return;
  let files = 0;
  for await (const _ of Deno.readDir(directory)) {
    if (++files < NODES_MAX) continue;
    throw new ClientError(
      "E_UNPROCESSABLE",
      `host: states of at most ${NODES_MAX} nodes of a cluster are kept`,
    );
  }
}

async function isPlainFile(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function show(services: JobServices, call: ApiCall): Promise<ApiAnswer> {
  requireCluster(call);
  const { file } = fileOf(services, call);
  const answer = await isPlainFile(file)
    ? await fileAnswer(file, JSON_TYPE, call.headers)
    : undefined;
  return answer ?? {
    status: 404,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: "404 page not found\n",
  };
}

const STORE = {
  summary: "Keep the state of a node",
  description: "The body is kept as it is, and not looked at.",
  body: { type: JSON_TYPE, required: false },
  answer: { description: "Kept; no body." },
  status: 201,
  errors: {
    404: "There is no such node.",
    422: "Too many nodes of the cluster have one.",
  },
  scope: "jobs:write",
} as const;

export function machineStateRoutes(services: JobServices): readonly ApiRoute[] {
  const bind = bindTo(services);
  return [{
    kind: "api",
    group: "job",
    path: "/api/machine_state/:cluster/:host",
    name: "machine-state",
    when: () => services.machineStateDir !== "",
    operations: {
      GET: {
        id: "machineState",
        summary: "The state of a node as it was kept last",
        description: "Requests may be conditional, or for a range of bytes.",
        answer: { type: JSON_TYPE },
        errors: {
          206: {
            type: JSON_TYPE,
            description: "The range asked for.",
          },
          304: { description: "Not changed since; no body." },
          404: { type: "text/plain", description: "Nothing was kept." },
          416: { description: "It has not so many bytes; no body." },
        },
        scope: "jobs:read",
        handle: bind(show),
      },
      PUT: { id: "putMachineState", ...STORE, handle: bind(store) },
      POST: { id: "postMachineState", ...STORE, handle: bind(store) },
    },
  }];
}
