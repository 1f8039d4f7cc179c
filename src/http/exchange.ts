/**
 * One request of a metric route and its answer, straight on the streams of
 * `node:http`. Owns the claim of the request on the bytes in flight, and sees to it that
 * a connection survives an answer given before the body was read. Main thread.
 *
 * Invariants: exactly one answer; `Content-Length` on every answer but those that are
 * made while they are sent, since without it the answer goes out chunked and
 * collectors open a new connection each time.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CredentialPlace } from "../access/credentials.ts";
import type { Action, Principal } from "../access/principal.ts";
import { monotonicMs } from "../base/clock.ts";
import { ClientError } from "../base/errors.ts";
import { LastFew } from "../base/last_few.ts";
import { errorText, type LogFields } from "../base/log.ts";
import type { DataScope } from "../metricstore/engine/data_scope.ts";
import type { JsonBody } from "../metricstore/engine/metric_engine.ts";
import type { Claim, ShareClass } from "../base/shared_pool.ts";
import { isShort, shortText, writeBody } from "./answer/answer_writer.ts";
import { type BodyStream, startOf } from "./body_stream.ts";
import { type ApiAnswer, JSON_TYPE } from "./api_route.ts";
import { allowOrigin, HSTS, PAGE_HEADERS } from "./guard/browser_guard.ts";
import { cameSecurely, clientAddress } from "./guard/client_address.ts";
import { credentialHeaders } from "./guard/credential_headers.ts";
import type { HttpContext } from "./http_context.ts";
import { errorAnswer, type ErrorStyle } from "./answer/error_answer.ts";
import { JSON_BYTES_MAX, PERSONAL_JSON_BYTES_MAX } from "./body/json_text.ts";
import { drainRequest } from "./drain_request.ts";
import { writeStream } from "./stream_writer.ts";
import type { OwnAddress } from "./origin.ts";

type Headers = Record<string, string | number | string[]>;

/** How the sender was asked who that is, and what came next. */
interface Admission {
  readonly place: CredentialPlace;
  readonly next: (principal: Principal) => void;
}

/** A body that is being read. */
interface Watched {
  checkSpeed(nowMs: number): void;
}

/** Requests with larger bodies are not kept: what they hold is given back at once. */
const KEPT_BODY_BYTES = 64 << 10;
/** So that the code compiled for them stays. */
const KEPT = new LastFew<Exchange>();

export class Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly context: HttpContext;
  /** Name of the route, for the metrics. */
  readonly route: string;
  /** The part of the URL after `?`, undecoded. */
  readonly search: string;
  /**
   * Whether a machine sent the request, whose own log nobody reads: refusals are told
   * in ours, with what this gives. Absent: somebody looks at the answer.
   */
  about: (() => LogFields) | undefined;
  /** Pages of other origins may not read the answer, whatever it is. */
  isForOwnPages = false;
  readonly #style: ErrorStyle;
  readonly #startMs = monotonicMs();
  #who: string | undefined;
  #admission: Admission | undefined;
  #body: Uint8Array | undefined;
  /** Which share of the bytes in flight the request takes. */
  shareClass: ShareClass = "read";
  #shareKey: string | undefined;
  #isMachine = false;
  #claim: Claim | undefined;
  #watched: Watched | undefined;
  #answered = false;

  constructor(
    context: HttpContext,
    req: IncomingMessage,
    res: ServerResponse,
    route: string,
    search: string,
    style: ErrorStyle = "metric",
  ) {
    this.context = context;
    this.req = req;
    this.res = res;
    this.route = route;
    this.search = search;
    this.#style = style;
    context.inFlight.add(this);
    if (holdsLittle(req)) KEPT.keep(this);
    // Also when the client goes away while the engine is still thinking.
    res.once("close", () => this.abandon());
  }

  /** Whether an answer was given or nobody waits for one any more. */
  get settled(): boolean {
    return this.#answered;
  }

  /** The part of the URL before `?`, undecoded. */
  get path(): string {
    return (this.req.url ?? "/").split("?", 1)[0]!;
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

  /** Where the request comes from, as far as trusted proxies tell. */
  get from(): string {
    return clientAddress(this.req, this.context.trustedProxies);
  }

  /** Whether the client came by HTTPS, also as far as trusted proxies tell. */
  get isSecure(): boolean {
    return cameSecurely(this.req, this.context.trustedProxies);
  }

  /** The address at which pages of this server are reached. */
  get own(): OwnAddress {
    return {
      baseUrl: this.context.config["base-url"] ?? "",
      isSecure: this.isSecure,
    };
  }

  /** Finds out who is asking and goes on with the data the request may touch. */
  authorize(action: Action, next: (scope: DataScope) => void): void {
    this.authenticate("metric", (principal) => {
      next(principal.dataScope(action, this.req.headers["x-scope-orgid"]));
    });
  }

  /**
   * Whether who asks may still do it, some time after {@linkcode authorize}: what was
   * granted then may have been taken away. Throws or rejects where it was.
   */
  mayStill(action: Action): Promise<void> | undefined {
    const check = (principal: Principal) => {
      principal.dataScope(action, this.req.headers["x-scope-orgid"]);
    };
    const found = this.context.authenticator.authenticate(
      credentialHeaders(this.req),
      "metric",
    );
    if (found instanceof Promise) return found.then(check);
    check(found);
    return undefined;
  }

  /**
   * Begins anew with the body that was read, where that took long: whoever was let in
   * may be nobody by now. False: there is no need.
   */
  beginAgain(body: Uint8Array): boolean {
    const isOld =
      monotonicMs() - this.#startMs >= this.context.limits.recheckMs;
    if (!isOld || this.#admission === undefined) return false;
    this.#body = body;
    this.authenticate(this.#admission.place, this.#admission.next);
    return true;
  }

  /** The body, where it was read before. */
  get body(): Uint8Array | undefined {
    return this.#body;
  }

  /**
   * Finds out who is asking. Without any promise for a token that is already known.
   * What `next` throws is the answer.
   */
  authenticate(
    place: CredentialPlace,
    next: (principal: Principal) => void,
  ): void {
    this.#admission = { place, next };
    const goOn = (principal: Principal) => {
      if (this.#answered) return;
      this.#who = principal.name;
      this.#shareKey = principal.shareKey;
      this.#isMachine = principal.isMachine;
      next(principal);
    };
    try {
      const found = this.context.authenticator.authenticate(
        credentialHeaders(this.req),
        place,
      );
      if (found instanceof Promise) {
        found.then(goOn).catch((error) => this.fail(error));
      } else goOn(found);
    } catch (error) {
      this.fail(error);
    }
  }

  /** What the request holds of the bytes in flight; given back with the answer. */
  get claim(): Claim {
    const claim = this.#claim ??= this.#openClaim();
    // Too late: nobody would give it back.
    if (this.#answered) claim.close();
    return claim;
  }

  #openClaim(): Claim {
    // Of strangers each address has a share of its own.
    const key = this.#shareKey ?? `address:${this.from}`;
    return this.context.gate.claim(key, this.shareClass);
  }

  /** Bytes of JSON that whoever asks may send, inflated. */
  get jsonBytesMax(): number {
    return this.#isMachine ? JSON_BYTES_MAX : PERSONAL_JSON_BYTES_MAX;
  }

  /** Has `body` look at its speed now and then, until there is an answer. */
  watch(body: Watched): void {
    this.#watched = body;
  }

  checkSpeed(nowMs: number): void {
    this.#watched?.checkSpeed(nowMs);
  }

  /** Answers with a short text or document. */
  send(status: number, headers: Headers, body: string | Uint8Array): void {
    if (this.#style !== "metric") this.#addPageHeaders(headers);
    this.#answer(status, headers, inOnePiece(body));
  }

  /** Answers with what a handler of the admin or job API gave. */
  sendAnswer(answer: ApiAnswer): void {
    const { body } = answer;
    const isStream = typeof body !== "string" && "pieces" in body;
    if (this.#answered) {
      if (isStream) body.close();
      return;
    }
    const headers: Headers = { ...answer.headers };
    this.#addPageHeaders(headers);
    if (isStream) {
      this.#sendStream(answer.status, headers, body).catch((error) => {
        this.context.log.err("an answer broke off", {
          ...this.requestFields(),
          error: errorText(error),
        });
      });
      return;
    }
    const isWritten = typeof body !== "string" && "chunks" in body;
    this.#sendCompressed(
      answer.status,
      headers,
      isWritten ? body : inOnePiece(body),
    );
  }

  #addPageHeaders(headers: Headers): void {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) {
      headers[name] ??= value;
    }
    if (this.isSecure) headers["Strict-Transport-Security"] = HSTS;
  }

  /** Answers 200 with JSON, compressed where that pays. */
  sendJson(body: JsonBody): void {
    if (this.#answered) return;
    this.#sendCompressed(200, { "Content-Type": JSON_TYPE }, body);
  }

  #sendCompressed(status: number, headers: Headers, body: JsonBody): void {
    const coding = "Content-Encoding" in headers
      ? undefined
      : this.context.compressor.choose(this.req, body.byteLength);
    if (coding === undefined) {
      this.#answer(status, headers, body);
      return;
    }
    // What waits to be compressed is there all the same.
    this.claim.add(body.byteLength);
    this.context.compressor.compress(coding, body).then((small) => {
      body.release?.();
      headers["Content-Encoding"] = coding;
      this.#answer(status, headers, small);
    }).catch((error) => this.fail(error));
  }

  /**
   * Sends a body while it is made: short ones with their length, so that what fails
   * early gets an answer of its own. Rejects where one breaks off on the way.
   */
  async #sendStream(
    status: number,
    headers: Headers,
    body: BodyStream,
  ): Promise<void> {
    const { req, res, context } = this;
    const close = () => body.close();
    res.once("close", close);
    try {
      const start = await startOf(body).catch((error) => this.fail(error));
      if (start === undefined || this.#answered) return;
      if (start.isWhole) {
        this.#sendCompressed(status, headers, start.body);
        return;
      }
      const coding = context.compressor.choose(req, Infinity);
      if (coding !== undefined) headers["Content-Encoding"] = coding;
      if (!this.#begin(status, headers)) return;
      headers["Vary"] = "Accept-Encoding";
      res.writeHead(status, headers);
      const pieces = coding === undefined
        ? start.pieces
        : context.compressor.through(coding, start.pieces);
      await writeStream(res, context, pieces);
    } catch (error) {
      // Who has gone needs no answer, and what it stops is no fault.
      if (!res.closed) throw error;
    } finally {
      res.off("close", close);
      close();
    }
  }

  /** Answers with the error; what is not the client's doing becomes a bare 500. */
  fail(error: unknown): void {
    if (this.#answered) return;
    const { status, headers, body } = errorAnswer(
      error,
      this.context,
      this.#style,
      { route: this.route, from: this.from, who: this.#who },
    );
    if (error instanceof ClientError && status !== 500) {
      this.#tellRefusal(status, error.message);
    }
    this.send(status, headers, body);
  }

  #tellRefusal(status: number, reason: string): void {
    if (this.about === undefined) return;
    this.context.machineLog.warn(
      "a machine's request was refused",
      () => ({ ...this.requestFields(), status, reason }),
      `${this.route} ${status}`,
    );
  }

  /** What the log says of a machine's request. */
  requestFields(): LogFields {
    return {
      route: this.route,
      ...this.about?.(),
      who: this.#who?.slice(0, 100),
      from: this.from,
    };
  }

  /** Notes a refusal that the answer does not show as one. */
  noteRefusal(reason: string, who: string): void {
    this.context.metrics.countDenied(reason);
    this.context.audit.refused({
      reason,
      claims: who,
      from: this.from,
      route: this.route,
    });
  }

  /** The client has gone; nobody reads an answer. */
  abandon(): void {
    if (this.#answered) return;
    // 499 is what proxies note for it; it is never sent.
    this.#settle(499);
  }

  #settle(status: number): void {
    this.#answered = true;
    const { context } = this;
    context.inFlight.delete(this);
    this.#claim?.close();
    this.#body = undefined;
    this.#admission = undefined;
    this.#watched = undefined;
    context.metrics.countRequest(
      this.route,
      status,
      (monotonicMs() - this.#startMs) / 1000,
    );
  }

  /** The one answer begins; false: there is one already, or nobody to read it. */
  #begin(status: number, headers: Headers): boolean {
    if (this.#answered) return false;
    this.#settle(status);
    const { req, res, context } = this;
    if (res.destroyed) return false;
    headers["X-Content-Type-Options"] = "nosniff";
    if (context.openNames === undefined && !this.isForOwnPages) {
      allowOrigin(req, headers);
    }
    if (context.closing) headers["Connection"] = "close";
    return true;
  }

  #answer(
    status: number,
    headers: Headers,
    body: JsonBody,
  ): void {
    if (!this.#begin(status, headers)) return;
    const { req, res, context } = this;
    const { byteLength } = body;
    headers["Content-Length"] = byteLength;
    if (byteLength > 0) headers["Vary"] = "Accept-Encoding";
    const unread = !req.complete && this.hasBody();
    const lingers = unread && (status === 408 || !this.#drainable());
    if (lingers) headers["Connection"] = "close";
    if (!lingers && isShort(body)) {
      // Only so do head and body go out as one string, without a queue.
      res.statusCode = status;
      for (const name in headers) res.setHeader(name, headers[name]!);
      res.end(shortText(body), "latin1");
      body.release?.();
      if (!req.readableEnded) req.resume();
      return;
    }
    res.writeHead(status, headers);
    if (lingers) {
      for (const chunk of body.chunks) res.write(chunk);
      drainRequest(req, res, context.limits);
      return;
    }
    writeBody(res, context, body, () => this.#openClaim());
    if (!req.readableEnded) req.resume();
  }

  /** Whether the unread rest of the body is small enough to be read and dropped. */
  #drainable(): boolean {
    const declared = this.req.headers["content-length"];
    return declared !== undefined &&
      Number(declared) <= this.context.limits.drainBytes;
  }
}

function holdsLittle({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] === undefined &&
    headers["content-encoding"] === undefined &&
    Number(headers["content-length"] ?? 0) <= KEPT_BODY_BYTES;
}

function inOnePiece(body: string | Uint8Array): JsonBody {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return { chunks: [bytes], byteLength: bytes.byteLength };
}
