/** Asks a running server by the Prometheus API, as its clients do. */
import type { HttpAnswer, TestClient } from "../support/client.ts";

/** Parameters in order; a list comes again and again. */
export type Asked = Readonly<Record<string, string | readonly string[]>>;

export interface Envelope {
  readonly status: "success" | "error";
  // deno-lint-ignore no-explicit-any
  readonly data?: any;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

export interface PromAnswer extends HttpAnswer {
  readonly json: Envelope;
}

export function form(asked: Asked): string {
  const pairs = new URLSearchParams();
  for (const [name, values] of Object.entries(asked)) {
    for (const value of typeof values === "string" ? [values] : values) {
      pairs.append(name, value);
    }
  }
  return String(pairs);
}

export class PromClient {
  readonly #client: TestClient;
  readonly #prefix: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #authorization: string | null | undefined;

  constructor(
    client: TestClient,
    options: {
      readonly prefix?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly authorization?: string | null;
    } = {},
  ) {
    this.#client = client;
    this.#prefix = options.prefix ?? "/prometheus/api/v1";
    this.#headers = options.headers ?? {};
    this.#authorization = options.authorization;
  }

  async get(path: string, asked: Asked = {}): Promise<PromAnswer> {
    const query = form(asked);
    return parsed(
      await this.#client.send({
        method: "GET",
        path: `${this.#prefix}/${path}${query === "" ? "" : `?${query}`}`,
        headers: this.#headers,
        authorization: this.#authorization,
      }),
    );
  }

  async post(
    path: string,
    asked: Asked,
    contentType = "application/x-www-form-urlencoded",
  ): Promise<PromAnswer> {
    return parsed(
      await this.#client.send({
        method: "POST",
        path: `${this.#prefix}/${path}`,
        body: form(asked),
        headers: { ...this.#headers, "Content-Type": contentType },
        authorization: this.#authorization,
      }),
    );
  }
}

function parsed(answer: HttpAnswer): PromAnswer {
  const isJson = answer.headers["content-type"] === "application/json" &&
    answer.text !== "";
  const json = isJson ? JSON.parse(answer.text) as Envelope : undefined;
  return { ...answer, json: json! };
}
