/**
 * One request of a metric route and its answer, straight on the streams of
 * `node:http`. Owns the bytes the request holds of the gate, and sees to it that
 * a connection survives an answer given before the body was read. Main thread.
 *
 * Invariants: exactly one answer; `Content-Length` on every answer, since without
 * it the answer goes out chunked and collectors open a new connection each time.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Action, Principal } from "../auth/principal.ts";
import { monotonicMs } from "../clock.ts";
import { type DataScope, DEFAULT_SCOPE } from "../engine/data_scope.ts";
import type { JsonBody } from "../engine/metric_engine.ts";
import { writeBody } from "./answer_writer.ts";
import { credentialHeaders } from "./credential_headers.ts";
import type { Door } from "./door.ts";
import { errorAnswer } from "./error_answer.ts";

type Headers = Record<string, string | number>;

export class Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly door: Door;
  /** Name of the route, for the metrics. */
  readonly route: string;
  /** The part of the URL after `?`, undecoded. */
  readonly search: string;
  readonly #startMs = monotonicMs();
  #heldBytes = 0;
  #answered = false;

  constructor(
    door: Door,
    req: IncomingMessage,
    res: ServerResponse,
    route: string,
    search: string,
  ) {
    this.door = door;
    this.req = req;
    this.res = res;
    this.route = route;
    this.search = search;
    door.inFlight.add(this);
    // Also when the client goes away while the engine is still thinking.
    res.once("close", () => this.abandon());
  }

  /** Whether an answer was given or nobody waits for one any more. */
  get settled(): boolean {
    return this.#answered;
  }

  /** Parameters of the query string, percent-decoded. */
  parameters(): URLSearchParams {
    return new URLSearchParams(this.search);
  }

  /** Whether the request announces a body that is not empty. */
  hasBody(): boolean {
    const headers = this.req.headers;
    return headers["transfer-encoding"] !== undefined ||
      Number(headers["content-length"] ?? 0) > 0;
  }

  /**
   * Finds out who is asking and goes on with what the request may touch.
   * Without any promise for a token that is already known.
   */
  authorize(action: Action, next: (scope: DataScope) => void): void {
    let found: Principal | Promise<Principal>;
    try {
      found = this.door.authenticator.authenticate(
        credentialHeaders(this.req),
      );
    } catch (error) {
      this.fail(error);
      return;
    }
    if (found instanceof Promise) {
      found.then((principal) => this.#authorized(principal, action, next))
        .catch((error) => this.fail(error));
    } else this.#authorized(found, action, next);
  }

  #authorized(
    principal: Principal,
    action: Action,
    next: (scope: DataScope) => void,
  ): void {
    if (this.#answered) return;
    try {
      principal.demand(action);
      const orgId = this.req.headers["x-scope-orgid"];
      next({ ...DEFAULT_SCOPE, instance: principal.instance(orgId) });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Notes bytes of the gate that are given back with the answer. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Answers with a short text or document. */
  send(status: number, headers: Headers, body: string | Uint8Array): void {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    this.#answer(status, headers, [bytes], bytes.byteLength);
  }

  /** Answers 200 with JSON, compressed where that pays. */
  sendJson(body: JsonBody): void {
    if (this.#answered) return;
    const headers: Headers = { "Content-Type": "application/json" };
    const coding = this.door.compressor.choose(this.req, body.byteLength);
    if (coding === undefined) {
      this.#answer(200, headers, body.chunks, body.byteLength);
      return;
    }
    this.door.compressor.compress(coding, body).then((small) => {
      headers["Content-Encoding"] = coding;
      this.#answer(200, headers, small.chunks, small.byteLength);
    }).catch((error) => this.fail(error));
  }

  /** Answers with the error; what is not the client's doing becomes a bare 500. */
  fail(error: unknown): void {
    if (this.#answered) return;
    const answer = errorAnswer(error, this.door);
    this.send(answer.status, answer.headers, answer.body);
  }

  /** The client has gone; nobody reads an answer. */
  abandon(): void {
    if (this.#answered) return;
    // 499 is what proxies note for it; it is never sent.
    this.#settle(499);
  }

  #settle(status: number): void {
    this.#answered = true;
    const { door } = this;
    door.inFlight.delete(this);
    if (this.#heldBytes > 0) {
      door.gate.release(this.#heldBytes);
      this.#heldBytes = 0;
    }
    door.telemetry.countRequest(
      this.route,
      status,
      (monotonicMs() - this.#startMs) / 1000,
    );
  }

  #answer(
    status: number,
    headers: Headers,
    chunks: readonly Uint8Array[],
    byteLength: number,
  ): void {
    if (this.#answered) return;
    this.#settle(status);
    const { req, res, door } = this;
    if (res.destroyed) return;
    headers["Content-Length"] = byteLength;
    headers["X-Content-Type-Options"] = "nosniff";
    if (byteLength > 0) headers["Vary"] = "Accept-Encoding";
    const unread = !req.complete && this.hasBody();
    const lingers = unread && !this.#drainable();
    if (lingers || door.closing) headers["Connection"] = "close";
    res.writeHead(status, headers);
    if (lingers) {
      for (const chunk of chunks) res.write(chunk);
      linger(req, res, door);
      return;
    }
    writeBody(res, door, chunks, byteLength);
    if (!req.readableEnded) req.resume();
  }

  /** Whether the unread rest of the body is small enough to be read and dropped. */
  #drainable(): boolean {
    const declared = this.req.headers["content-length"];
    return declared !== undefined &&
      Number(declared) <= this.door.limits.drainBytes;
  }
}

/**
 * The answer is complete for the client, but ending it now would reset the
 * connection while the client still sends, and it might never see the answer.
 */
function linger(req: IncomingMessage, res: ServerResponse, door: Door): void {
  let left = door.limits.lingerBytes;
  const end = () => {
    clearTimeout(timer);
    req.removeAllListeners("data");
    res.end();
  };
  const timer = setTimeout(end, door.limits.lingerMs);
  req.on("data", (chunk: Uint8Array) => {
    left -= chunk.byteLength;
    if (left < 0) end();
  });
  req.once("end", end);
  req.once("close", end);
  req.resume();
}
