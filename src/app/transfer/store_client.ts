/**
 * A running server as import and export see it: writes, queries and the tree of
 * names over HTTP. A server that is busy is asked again, for a while.
 */
import { z } from "zod";
import { SKIP_REASONS } from "../../metricstore/engine/metric_engine.ts";

/** One exchange may take this long. */
const EXCHANGE_MS = 120_000;
/** Times a request is sent before "too busy" counts as the answer. */
const ATTEMPTS_MAX = 20;
/** Longest pause between two of them, whatever the server asks for. */
const PAUSE_SEC_MAX = 10;

const counts = z.record(z.string(), z.int().nonnegative());

/** The body of a refused batch; other refusals lack the counts. */
const refusalSchema = z.object({
  error: z.string(),
  stored: z.int().nonnegative(),
  rejected: counts,
  skipped: counts,
  errors: z.array(z.object({ line: z.int(), message: z.string() })),
});

const answerSchema = z.object({
  queries: z.array(z.object({ host: z.string() })).optional(),
  results: z.array(z.array(z.object({
    error: z.string().optional(),
    data: z.array(z.number().nullable()).optional(),
    from: z.number(),
    resolution: z.number(),
  }))),
});

const debugSchema = z.object({ data: z.record(z.string(), z.unknown()) });

export type QueryAnswer = z.infer<typeof answerSchema>;

/** What became of the lines of one batch. */
export interface WriteOutcome {
  readonly stored: number;
  /** Lines passed over, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Lines refused, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** The first refused lines, counted from 1. */
  readonly errors: readonly {
    readonly line: number;
    readonly message: string;
  }[];
}

/** The server cannot be reached, or answers what makes going on pointless. */
export class StoreError extends Error {
  readonly code = "E_STORE";
  /** 0: there was no answer. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.status = status;
  }
}

export class StoreClient {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** `url` like `http://localhost:8082`; `token` undefined: none is sent. */
  constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/+$/, "");
    this.#headers = token === undefined
      ? {}
      : { Authorization: `Bearer ${token}` };
  }

  /**
   * Sends `lines` lines; `cluster` is that of lines that name none. Throws a
   * {@linkcode StoreError}.
   */
  async write(
    text: string,
    lines: number,
    cluster?: string,
  ): Promise<WriteOutcome> {
    const query = cluster === undefined
      ? ""
      : `?cluster=${encodeURIComponent(cluster)}`;
    const answer = await this.#send("POST", `/api/write${query}`, text);
    const body = await answer.text();
    if (answer.ok) {
      const skipped = readSkipped(answer.headers.get("X-Skipped"));
      const passed = Object.values(skipped).reduce((a, b) => a + b, 0);
      return { stored: lines - passed, skipped, rejected: {}, errors: [] };
    }
    const refusal = refusalSchema.safeParse(parseJson(body));
    if (refusal.success) return refusal.data;
    throw this.#refused(answer.status, body);
  }

  /** Asks a query request as the contract has it (5.2). */
  async query(request: unknown): Promise<QueryAnswer> {
    const body = JSON.stringify(request);
    return await this.#ask("POST", "/api/query", body, answerSchema);
  }

  /** The tree below a cluster's host; `undefined`: there is no such host. */
  async debug(
    cluster: string,
    host: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const selector = encodeURIComponent(`${cluster}:${host}`);
    try {
      const path = `/api/debug?selector=${selector}`;
      return (await this.#ask("GET", path, undefined, debugSchema)).data;
    } catch (error) {
      if (error instanceof StoreError && error.status === 400) return undefined;
      throw error;
    }
  }

  async #ask<T>(
    method: string,
    path: string,
    body: string | undefined,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const answer = await this.#send(method, path, body);
    const text = await answer.text();
    if (!answer.ok) throw this.#refused(answer.status, text);
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new StoreError(answer.status, `${this.url}${path}: unknown answer`);
  }

  /** Sends it again while the server says that it has no room just now. */
  async #send(
    method: string,
    path: string,
    body: string | undefined,
  ): Promise<Response> {
    for (let attempt = 1;; attempt++) {
      let answer: Response;
      try {
        answer = await fetch(this.url + path, {
          method,
          headers: this.#headers,
          ...(body === undefined ? {} : { body }),
          signal: AbortSignal.timeout(EXCHANGE_MS),
        });
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new StoreError(0, `${this.url} does not answer: ${why}`, {
          cause,
        });
      }
      const pauseSec = Number(answer.headers.get("Retry-After") ?? NaN);
      const isBusy = answer.status === 429 || answer.status === 503;
      if (!isBusy || !(pauseSec >= 0) || attempt === ATTEMPTS_MAX) {
        return answer;
      }
      await answer.body?.cancel();
      const pauseMs = Math.min(pauseSec, PAUSE_SEC_MAX) * 1000;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #refused(status: number, body: string): StoreError {
    const error = z.object({ error: z.string() }).safeParse(parseJson(body));
    const why = error.success ? error.data.error : body.trim();
    return new StoreError(status, `${this.url} answers ${status}: ${why}`);
  }
}

/** `too-old=3, unknown-metric=1` as an object; what is not known is left out. */
function readSkipped(header: string | null): Record<string, number> {
  const skipped: Record<string, number> = {};
  for (const part of (header ?? "").split(",")) {
    const [name = "", count] = part.trim().split("=");
    if (SKIP_REASONS.some((reason) => reason === name)) {
      skipped[name] = Number(count);
    }
  }
  return skipped;
}

/** `undefined` where it is none: the caller's schema refuses that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
