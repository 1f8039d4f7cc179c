/**
 * `/api/machine_state/{cluster}/{host}`: keeps what a node tells of itself as it
 * is, one file a node. Main thread.
 */
import { ClientError } from "../errors.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type ApiRoute,
  empty,
} from "../http/api_route.ts";
import { fileAnswer } from "../http/file_answer.ts";

/** File names of the system are no longer. */
const NAME_BYTES_MAX = 200;

function fileOf(call: ApiCall): { directory: string; file: string } {
  const { cluster = "", host = "" } = call.params;
  for (const [field, name] of [["cluster", cluster], ["host", host]] as const) {
    const bytes = new TextEncoder().encode(name).length;
    if (
      name === "" || name === "." || name.includes("..") ||
      /[/\\\0]/.test(name) || bytes > NAME_BYTES_MAX
    ) {
      throw new ClientError(
        "E_BAD_REQUEST",
        `${field}: a name without "..", "/" and "\\" is expected, got ${
          JSON.stringify(name.slice(0, 60))
        }`,
      );
    }
  }
  const directory = `${call.services.jobs.machineStateDir}/${cluster}`;
  return { directory, file: `${directory}/${host}.json` };
}

function requireCluster(call: ApiCall): void {
  const { clusters } = call.principal.jobView();
  if (clusters === undefined || clusters.has(call.params.cluster ?? "")) return;
  throw new ClientError("E_UNAUTHENTICATED", "no realm for that cluster");
}

async function store(call: ApiCall): Promise<ApiAnswer> {
  requireCluster(call);
  const { directory, file } = fileOf(call);
  await Deno.mkdir(directory, { recursive: true });
  const part = `${file}.${crypto.randomUUID()}.tmp`;
  await Deno.writeFile(part, call.body);
  await Deno.rename(part, file);
  return empty(201);
}

async function show(call: ApiCall): Promise<ApiAnswer> {
  requireCluster(call);
  const { file } = fileOf(call);
  const answer = await fileAnswer(file, "application/json", call.headers);
  return answer ?? {
    status: 404,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: "404 page not found\n",
  };
}

const STORE = {
  summary: "Keep the state of a node",
  description: "The body is kept as it is, and not looked at.",
  body: { type: "application/json", required: false },
  answer: { description: "Kept; no body." },
  status: 201,
  scope: "jobs:write",
  handle: store,
} as const;

export const machineStateRoutes: readonly ApiRoute[] = [{
  kind: "api",
  group: "job",
  path: "/api/machine_state/:cluster/:host",
  name: "machine-state",
  when: ({ config }) => config["machine-state-dir"] !== "",
  operations: {
    GET: {
      id: "machineState",
      summary: "The state of a node as it was kept last",
      description: "Requests may be conditional, or for a range of bytes.",
      answer: { type: "application/json" },
      errors: {
        206: { type: "application/json", description: "The range asked for." },
        304: { description: "Not changed since; no body." },
        404: { type: "text/plain", description: "Nothing was kept." },
        416: { description: "It has not so many bytes; no body." },
      },
      scope: "jobs:read",
      handle: show,
    },
    PUT: { id: "putMachineState", ...STORE },
    POST: { id: "postMachineState", ...STORE },
  },
}];
