/**
 * Which nodes have running jobs: their samples are protected from freeing
 * (metric-store 7.7). The seam behind which either cc-backend is asked or a job
 * database of our own. Main thread only.
 */
import { z } from "zod";

const TIMEOUT_MS = 10_000;
/** A million names of ordinary length. */
const ANSWER_BYTES_MAX = 16 << 20;

/** Host names by cluster, of the default instance. */
export type UsedNodes = ReadonlyMap<string, ReadonlySet<string>>;

export interface NodeProvider {
  /** The nodes whose samples since `tsSec` a running job may need. Rejects if they are not known. */
  usedNodes(tsSec: number): Promise<UsedNodes>;
}

/** Go writes an empty list as null. */
const hosts = z.array(z.string()).nullable().transform((list) => list ?? []);
const byCluster = z.record(z.string(), hosts);
/** Answers of cc-backend, and the bare object that upstream's store expects. */
const answer = z.union([
  z.strictObject({ usedNodes: byCluster.nullable() })
    .transform(({ usedNodes }) => usedNodes ?? {}),
  byCluster,
]);

export interface BackendOptions {
  /** `main.backend-url`; a path in it is kept. */
  readonly url: string;
  /** `main.backend-token`; `""`: none is sent. */
  readonly token: string;
  readonly timeoutMs?: number;
}

/** Asks cc-backend: `GET <url>/api/jobs/used_nodes?ts=<seconds>`. */
export class BackendNodes implements NodeProvider {
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  async usedNodes(tsSec: number): Promise<UsedNodes> {
    const { url, token, timeoutMs } = this.#options;
    const asked = new URL(`${url.replace(/\/+$/, "")}/api/jobs/used_nodes`);
    asked.searchParams.set("ts", String(tsSec));
    const response = await fetch(asked, {
      headers: token === "" ? {} : { Authorization: `Bearer ${token}` },
      // A token goes where the configuration says and nowhere else.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`it answers ${response.status}`);
    }
    return parseNodes(await readText(response));
  }
}

function parseNodes(text: string): UsedNodes {
  const nodes = answer.safeParse(parseJson(text));
  if (!nodes.success) throw new Error("its answer is no list of nodes");
  return new Map(
    Object.entries(nodes.data).map(([name, list]) => [name, new Set(list)]),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error("its answer is no JSON", { cause });
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the body.
    if (bytes > ANSWER_BYTES_MAX) {
      throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
