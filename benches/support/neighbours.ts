/**
 * Two tenants of one server: one does its worst in several ways, the other writes
 * like a collector and is watched. Each has an instance and a token of its own.
 */
import { monotonicMs, nowSec } from "../../src/base/clock.ts";
import { SAMPLE_TOKEN } from "../../tests/support/client.ts";
import {
  LOAD_CLUSTER,
  LOAD_STEP_SEC,
  type LoadRequest,
  renderLoad,
} from "./load.ts";
import { encodeRequest, RawConnection } from "./raw_http.ts";

export const QUIET = "quiet";
export const WORST = "worst";

const BEFORE_SEC = 40 * 3600;
const ATTACKERS = 4;
const SLOW_SOCKETS = 16;
const NEW_SERIES = 5000;
const BAD_LINES = 1 << 20;
const QUERIES = 2000;
const IDS = 200_000;
const LABEL_BYTES = 200;

/** Makes the instance and a token that writes and reads it; the header lines it needs. */
export async function addTenant(port: number, name: string): Promise<string> {
  await admin(port, "instances", {
    ...{ name, cluster: LOAD_CLUSTER, limits: { max_series: 0 } },
  });
  await admin(port, "accesspolicies", {
    name: `${name}-all`,
    scopes: ["metrics:read", "metrics:write"],
    realms: [{ instance: name, cluster: LOAD_CLUSTER }],
  });
  const { token } = await admin(port, "tokens", {
    ...{ name: `${name}-token`, access_policy: `${name}-all` },
  });
  return `Authorization: Bearer ${token}\r\n`;
}

/** A cluster is known once it has a sample. */
export async function makeClusterKnown(port: number): Promise<void> {
  const response = await fetch(
    `http://127.0.0.1:${port}/api/write?cluster=${LOAD_CLUSTER}`,
    {
      method: "POST",
      headers: { Authorization: `Bearer ${SAMPLE_TOKEN}` },
      body: `cpu_load,hostname=known value=1 ${nowSec()}`,
    },
  );
  await expectSuccess(response);
}

async function admin(
  port: number,
  collection: string,
  body: unknown,
): Promise<{ token?: string }> {
  const response = await fetch(
    `http://127.0.0.1:${port}/admin/api/v1/${collection}`,
    {
      method: "POST",
      headers: { Authorization: `Bearer ${SAMPLE_TOKEN}` },
      body: JSON.stringify(body),
    },
  );
  return JSON.parse(await expectSuccess(response));
}

async function expectSuccess(response: Response): Promise<string> {
  const text = await response.text();
  if (response.ok) return text;
  throw new Error(`${response.url}: ${response.status} ${text}`);
}

/** A tenant that is going on with its worst. */
export interface Attack {
  /** Ends it; resolves to the requests that were answered. */
  stop(): Promise<number>;
}

export type AttackName = keyof typeof ATTACKS;

/** What the worst tenant does, by name. */
const ATTACKS = {
  "new series": (port: number, headers: string) =>
    repeat(port, (turn) =>
      write(
        headers,
        Array.from(
          { length: NEW_SERIES },
          (_, i) =>
            `cpu_load,hostname=n${turn},type=hwthread,type-id=${i} value=1`,
        ).join("\n"),
      )),
  "bad lines": (port: number, headers: string) => {
    const request = write(headers, "x\n".repeat(BAD_LINES));
    return repeat(port, () => request);
  },
  "label values": (port: number, headers: string) =>
    repeat(port, (turn) =>
      write(
        headers,
        Array.from(
          { length: NEW_SERIES },
          (_, i) =>
            `cpu_load,hostname=l,type=${
              `${turn}-${i}-`.padEnd(LABEL_BYTES, "x")
            },type-id=1 value=1`,
        ).join("\n"),
      )),
  "large queries": (port: number, headers: string) => {
    const request = question(headers, {
      queries: Array.from(
        { length: QUERIES },
        () => ({ metric: "cpu_load", host: "own" }),
      ),
    });
    return repeat(port, () => request);
  },
  "aggregated ids": (port: number, headers: string) => {
    const request = question(headers, {
      queries: [{
        ...{ metric: "flops_any", host: "own", type: "hwthread", aggreg: true },
        "type-ids": Array.from({ length: IDS }, () => "1"),
      }],
    });
    return repeat(port, () => request);
  },
  "slow sockets": (port: number, headers: string) => holdSockets(port, headers),
} as const;

export const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[];

/** Begins with it. `headers`: those of the worst tenant. */
export async function attack(
  name: AttackName,
  port: number,
  headers: string,
): Promise<Attack> {
  return await ATTACKS[name](port, headers);
}

function write(headers: string, body: string): Uint8Array {
  return encodeRequest("POST", "/api/write", headers, body);
}

function question(headers: string, what: object): Uint8Array {
  const to = nowSec();
  return encodeRequest(
    "POST",
    "/api/query",
    headers,
    JSON.stringify({
      ...{ cluster: LOAD_CLUSTER, from: to - 47 * 3600, to, ...what },
    }),
  );
}

/** Sends requests on some connections, each as soon as the last was answered. */
function repeat(
  port: number,
  request: (turn: number) => Uint8Array,
): Promise<Attack> {
  let isOver = false;
  let turn = 0;
  let answered = 0;
  const run = async () => {
    while (!isOver) {
      const connection = await RawConnection.open(port);
      try {
        while (!isOver) {
          await connection.exchange(request(turn++));
          answered++;
        }
      } catch (error) {
        // Refused and hung up on, as it should be.
        if (!(error instanceof Error)) throw error;
      } finally {
        connection.close();
      }
    }
  };
  const runs = Promise.all(Array.from({ length: ATTACKERS }, run));
  return Promise.resolve({
    async stop() {
      isOver = true;
      await runs;
      return answered;
    },
  });
}

/** Bodies that do not end, and answers that nobody reads. */
async function holdSockets(port: number, headers: string): Promise<Attack> {
  const answer = question(headers, {
    queries: Array.from(
      { length: QUERIES },
      () => ({ metric: "cpu_load", host: "own" }),
    ),
  });
  const sent = (path: string) =>
    new TextEncoder().encode(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}` +
        `Content-Length: 33554432\r\n\r\n${" ".repeat(1 << 20)}`,
    );
  const connections = await Promise.all(
    Array.from(
      { length: 3 * SLOW_SOCKETS },
      () => Deno.connect({ hostname: "127.0.0.1", port }),
    ),
  );
  const bodies = [sent("/api/query"), sent("/api/write"), answer];
  // A server that does not read any more leaves the writes hanging.
  const writes = connections.map(async (connection, i) => {
    const body = bodies[i % bodies.length]!;
    try {
      for (let at = 0; at < body.length;) {
        at += await connection.write(body.subarray(at));
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  });
  return {
    async stop() {
      for (const connection of connections) connection.close();
      await Promise.all(writes);
      return connections.length;
    },
  };
}

/** How long single writes took, and how many were not a success. */
export interface Watched {
  readonly latenciesMs: readonly number[];
  readonly failures: number;
}

/** Writes a host's samples over and over, at a rate. */
export class Collector {
  readonly #connections: readonly RawConnection[];
  readonly #requests: readonly LoadRequest[];
  #timeSec = nowSec() - BEFORE_SEC;
  #written = 0;

  private constructor(
    connections: readonly RawConnection[],
    requests: readonly LoadRequest[],
  ) {
    this.#connections = connections;
    this.#requests = requests;
  }

  static async open(
    port: number,
    headerLines: string,
    connections: number,
  ): Promise<Collector> {
    const opened = Array.from(
      { length: connections },
      () => RawConnection.open(port),
    );
    return new Collector(
      await Promise.all(opened),
      renderLoad({
        ...{ hosts: connections, hostsPerBody: 1, order: "host", seed: 77 },
        ...{ writePath: "/api/write", headerLines },
      }),
    );
  }

  /** Samples of each series so far. */
  get written(): number {
    return this.#written;
  }

  get firstSec(): number {
    return this.#timeSec - this.#written * LOAD_STEP_SEC;
  }

  /**
   * Writes `rounds` times, a round each `everyMs` or as soon as it can, but begins
   * none after `mostMs`.
   */
  async run(
    rounds: number,
    everyMs: number,
    mostMs = Infinity,
  ): Promise<Watched> {
    const latenciesMs: number[] = [];
    const beganMs = monotonicMs();
    let failures = 0;
    for (let round = 0; round < rounds; round++) {
      const startMs = monotonicMs();
      if (startMs - beganMs > mostMs) break;
      await Promise.all(this.#connections.map(async (connection, i) => {
        const request = this.#requests[i]!;
        request.setTime(this.#timeSec);
        const { status } = await connection.exchange(request.bytes);
        if (status !== 200) failures++;
        latenciesMs.push(monotonicMs() - startMs);
      }));
      this.#timeSec += LOAD_STEP_SEC;
      this.#written++;
      const restMs = startMs + everyMs - monotonicMs();
      if (restMs > 0) await new Promise((next) => setTimeout(next, restMs));
    }
    return { latenciesMs, failures };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
