/**
 * A small HTTP client for whole-server tests, over `node:http` because `fetch`
 * refuses to send the body of a GET, which is how queries arrive. It keeps one
 * connection alive like a collector; `close()` ends it.
 */
import { Buffer } from "node:buffer";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import credentials from "../testdata/sample_credentials.json" with {
  type: "json",
};

/** The public key of the sample configuration, standard base64. */
export const SAMPLE_PUBLIC_KEY = credentials.publicKey;
/** An administrator's token which that key verifies; it never expires. */
export const SAMPLE_TOKEN = credentials.token;

/** How long one exchange may take before it is given up, far above any real one. */
const EXCHANGE_MS = 30_000;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpQuestion {
  readonly method: string;
  /** Path and query string. */
  readonly path: string;
  readonly body?: string | Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole `Authorization` header; `null`: none; absent: the sample token. */
  readonly authorization?: string | null | undefined;
}

export class TestClient {
  readonly #base: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** `baseUrl` like `http://127.0.0.1:8082`. */
  constructor(baseUrl: string) {
    this.#base = new URL(baseUrl);
  }

  /** Sends the request and reads the whole answer, whatever its status. */
  send(question: HttpQuestion): Promise<HttpAnswer> {
    const body = question.body === undefined
      ? undefined
      : Buffer.from(question.body);
    const headers: Record<string, string> = { ...question.headers };
    const authorization = question.authorization === undefined
      ? `Bearer ${SAMPLE_TOKEN}`
      : question.authorization;
    if (authorization !== null) headers["Authorization"] = authorization;
    if (body !== undefined) headers["Content-Length"] = String(body.length);
    return new Promise((resolve, reject) => {
      const req = request({
        host: this.#base.hostname,
        port: this.#base.port,
        method: question.method,
        path: question.path,
        headers,
        agent: this.#agent,
        timeout: EXCHANGE_MS,
      }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            text: Buffer.concat(chunks).toString("utf8"),
          }));
      });
      req.on("error", reject);
      req.on(
        "timeout",
        () => req.destroy(new Error(`no answer within ${EXCHANGE_MS} ms`)),
      );
      req.end(body);
    });
  }

  /** Writes line protocol as a collector does. */
  write(lines: string): Promise<HttpAnswer> {
    return this.send({ method: "POST", path: "/api/write", body: lines });
  }

  /** Asks as the backend does: a GET with a JSON body. */
  query(question: unknown): Promise<HttpAnswer> {
    return this.send({
      method: "GET",
      path: "/api/query?version=v2",
      body: JSON.stringify(question),
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
