/**
 * Takes a request body in, chunk by chunk: bounded as sent and inflated, within
 * the share of the bytes in flight that its sender has, no faster than the sink
 * wants it, and no slower than the least speed. Main thread.
 *
 * What counts is what has arrived, for as long as it is kept; what a request
 * announces takes nothing.
 *
 * Events, not promises: a body that came in one piece, which most do, costs two
 * callbacks. Invariant: the sink sees exactly one of `end` and `broken`.
 */
import { Buffer } from "node:buffer";
import { MarkSkipper } from "../../base/byte_order_mark.ts";
import { ClientError } from "../../base/errors.ts";
import type { Exchange } from "../exchange.ts";
import { createInflater, type Inflater } from "./inflater.ts";
import {
  CHUNK_FRAMING_BYTES,
  INFLATE_FREE_BYTES,
  INFLATE_RATIO_MAX,
} from "../limits.ts";
import { type RequestCoding, requestCoding } from "./request_coding.ts";
import { SpeedGauge } from "../speed_gauge.ts";

export interface BodySink {
  /** The next bytes, inflated. A promise: wait for it before the next ones. */
  push(chunk: Uint8Array): Promise<void> | undefined;
  /** Bytes that the sink keeps of what it was given. */
  readonly heldBytes: number;
  /** That was the whole body. Now it is the sink's turn to answer. */
  end(): void;
  /** The rest will not come; the answer, if anybody wants one, is being sent. */
  broken(): void;
}

interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * Starts feeding the body of the request to `sink`. What was sent must not inflate to
 * more than `INFLATE_RATIO_MAX` times as much.
 */
export function pumpBody(exchange: Exchange, sink: BodySink): void {
  new BodyPump(exchange, sink, Infinity, INFLATE_RATIO_MAX).start();
}

/**
 * Reads the whole body and hands it over in one piece, of a sender who may still
 * ask. `maxBytes`: what the route takes at most, as sent and inflated, where that is
 * less than configured.
 */
export function readBody(
  exchange: Exchange,
  whole: (body: Uint8Array) => void,
  maxBytes: number = Infinity,
): void {
  const before = exchange.body;
  if (before !== undefined) {
    whole(before);
    return;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const pump = new BodyPump(exchange, {
    push(chunk) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw largerThan(maxBytes);
      chunks.push(chunk);
      return undefined;
    },
    get heldBytes() {
      return bytes;
    },
    end() {
      try {
        const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        if (!exchange.beginAgain(body)) whole(body);
      } catch (error) {
        exchange.fail(error);
      }
    },
    // What was read is dropped with the closure.
    broken() {},
  }, maxBytes);
  pump.start();
}

function inflatesTooMuch(ratio: number): ClientError {
  return new ClientError(
    "E_TOO_LARGE",
    `the body inflates to more than ${ratio} times its size beyond the first ${INFLATE_FREE_BYTES} bytes`,
  );
}

function largerThan(maxBytes: number): ClientError {
  return new ClientError(
    "E_TOO_LARGE",
    `the body is larger than ${maxBytes} bytes`,
  );
}

class BodyPump {
  readonly #exchange: Exchange;
  readonly #sink: BodySink;
  /** What the route takes. */
  readonly #maxBytes: number;
  /** Inflated bytes for one that was sent, at most. */
  readonly #maxRatio: number;
  readonly #mark = new MarkSkipper();
  #inflater: Inflater | undefined;
  /** What the connection had brought when the body began. */
  #beforeBytes = 0;
  #framingWatch: ReturnType<typeof setInterval> | undefined;
  #gauge: SpeedGauge | undefined;
  #sentBytes = 0;
  #inflatedBytes = 0;
  #pauses = 0;
  /** Everything was sent; what happens to the connection does not matter now. */
  #received = false;
  #ended = false;
  #done = false;

  constructor(
    exchange: Exchange,
    sink: BodySink,
    maxBytes: number,
    maxRatio = Infinity,
  ) {
    this.#maxRatio = maxRatio;
    this.#exchange = exchange;
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  start(): void {
    const { req, context } = this.#exchange;
    req.on("error", () => this.#gone());
    req.on("close", () => this.#gone());
    const declared = req.headers["content-length"];
    let coding: RequestCoding;
    try {
      coding = requestCoding(req.headers["content-encoding"]);
      if (Number(declared ?? 0) > context.config["max-body-size"]) {
        throw this.#tooLarge("max-body-size");
      }
      // Before room is taken for it: anybody may send headers.
      if (Number(declared ?? 0) > this.#maxBytes) {
        throw largerThan(this.#maxBytes);
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#exchange.watch(this);
    this.#listen(coding);
  }

  /** Ends the request if its body comes too slowly. Called now and then. */
  checkSpeed(nowMs: number): void {
    if (this.#done || this.#received) return;
    const { limits } = this.#exchange.context;
    this.#gauge ??= new SpeedGauge(limits);
    // While we do not read nothing can come.
    if (this.#pauses > 0) this.#gauge.restart();
    else if (this.#gauge.isTooSlow(nowMs, this.#sentBytes)) {
      this.#fail(
        new ClientError(
          "E_TOO_SLOW",
          `the body came slower than ${limits.bytesPerSecMin} bytes a second ` +
            `for ${limits.slowMs / 1000} s`,
        ),
      );
    }
  }

  #listen(coding: RequestCoding): void {
    const { req } = this.#exchange;
    if (req.headers["transfer-encoding"] !== undefined) this.#watchFraming();
    if (coding === "identity") {
      req.on("data", (chunk: Uint8Array) => {
        if (this.#countSent(chunk)) this.#deliver(chunk, req);
      });
      req.on("end", () => {
        this.#received = true;
        this.#end();
      });
      return;
    }
    const inflater = createInflater(coding, {
      data: (chunk) => {
        if (!this.#done) this.#deliver(chunk, inflater);
      },
      end: () => this.#end(),
      error: (error) => this.#fail(error),
    });
    this.#inflater = inflater;
    req.on("data", (chunk: Uint8Array) => {
      if (!this.#countSent(chunk) || inflater.write(chunk)) return;
      req.pause();
      inflater.onDrain(() => req.resume());
    });
    req.on("end", () => {
      this.#received = true;
      if (!this.#done) inflater.finish();
    });
  }

  /**
   * A chunk of a chunked body may carry an extension of any length, which the parser
   * swallows without a word: what the connection brings counts as sent, too.
   */
  #watchFraming(): void {
    const { req, res, context } = this.#exchange;
    this.#beforeBytes = req.socket.bytesRead;
    const most = Math.min(context.config["max-body-size"], this.#maxBytes) +
      CHUNK_FRAMING_BYTES;
    const look = () => {
      if (req.socket.bytesRead - this.#beforeBytes <= most) return;
      this.#fail(largerThan(most));
    };
    this.#framingWatch = setInterval(look, context.limits.checkIntervalMs);
    const stop = () => clearInterval(this.#framingWatch);
    req.once("end", look).once("end", stop);
    res.once("close", stop);
  }

  /** False: the chunk is of no use any more. */
  #countSent(chunk: Uint8Array): boolean {
    this.#exchange.context.bodyMemory.count(chunk);
    if (this.#done) return false;
    this.#sentBytes += chunk.byteLength;
    if (this.#sentBytes <= this.#exchange.context.config["max-body-size"]) {
      return true;
    }
    this.#fail(this.#tooLarge("max-body-size"));
    return false;
  }

  #deliver(
    chunk: Uint8Array,
    source: Pausable,
  ): void {
    const { claim, context: { config } } = this.#exchange;
    if (this.#inflater !== undefined) {
      this.#inflatedBytes += chunk.byteLength;
      if (this.#inflatedBytes > config["max-inflated-size"]) {
        this.#fail(this.#tooLarge("max-inflated-size"));
        return;
      }
      const beyond = this.#inflatedBytes - INFLATE_FREE_BYTES;
      if (beyond > this.#maxRatio * this.#sentBytes) {
        this.#fail(inflatesTooMuch(this.#maxRatio));
        return;
      }
    }
    const bytes = this.#mark.take(chunk);
    if (bytes.length === 0) return;
    if (claim.tryTake(bytes.length)) {
      this.#push(bytes, source);
      return;
    }
    this.#pause(source);
    claim.take(bytes.length).then(() => {
      if (this.#done) return;
      this.#push(bytes, source);
      this.#resume(source);
    }).catch((error) => this.#fail(error));
  }

  #push(bytes: Uint8Array, source: Pausable): void {
    let wait: Promise<void> | undefined;
    try {
      wait = this.#sink.push(bytes);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (wait === undefined) this.#giveBack();
    else this.#waitForSink(wait, source);
  }

  /** What the sink has no more is nobody's. */
  #giveBack(): void {
    const { claim } = this.#exchange;
    const spent = claim.held - this.#sink.heldBytes;
    if (spent > 0) claim.release(spent);
  }

  /** No progress within the time a request may wait is overload as well. */
  #waitForSink(
    wait: Promise<void>,
    source: Pausable,
  ): void {
    const { gate, limits } = this.#exchange.context;
    this.#pause(source);
    const timer = setTimeout(() => {
      gate.countRefusal();
      this.#fail(gate.overloaded());
    }, limits.overloadWaitMs);
    wait.then(() => {
      this.#giveBack();
      this.#resume(source);
    }).catch((error) => this.#fail(error)).finally(() => clearTimeout(timer));
  }

  /** Sink and pool may both want a pause; it lasts until both have had enough. */
  #pause(source: Pausable): void {
    if (this.#pauses++ === 0) source.pause();
  }

  #resume(source: Pausable): void {
    if (--this.#pauses > 0 || this.#done) return;
    if (this.#ended) this.#end();
    else source.resume();
  }

  /** A stream that is paused on its last bytes ends all the same. */
  #end(): void {
    this.#ended = true;
    if (this.#done || this.#pauses > 0) return;
    const rest = this.#mark.rest();
    if (rest.length > 0) {
      this.#pushRest(rest);
      return;
    }
    this.#done = true;
    this.#sink.end();
  }

  /** The whole body was the beginning of a byte order mark. */
  #pushRest(bytes: Uint8Array): void {
    try {
      const wait = this.#sink.push(bytes);
      if (wait === undefined) this.#end();
      else wait.then(() => this.#end(), (error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#done) return;
    this.#done = true;
    this.#inflater?.destroy();
    this.#sink.broken();
    this.#exchange.fail(error);
  }

  /** The connection broke, or the whole exchange is over. */
  #gone(): void {
    if (this.#done || this.#received) return;
    this.#done = true;
    this.#inflater?.destroy();
    this.#sink.broken();
    this.#exchange.abandon();
  }

  #tooLarge(key: "max-body-size" | "max-inflated-size"): ClientError {
    return new ClientError(
      "E_TOO_LARGE",
      `the body is larger than ${key}, ${
        this.#exchange.context.config[key]
      } bytes`,
    );
  }
}
