/**
 * Compressed answers, where it pays. zlib under Deno works on the thread that
 * calls it, so an answer is compressed in slices between which others are
 * served, and only a few at a time.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import {
  constants,
  createGzip,
  createZstdCompress,
  type Gzip,
  type ZstdCompress,
} from "node:zlib";
import type { JsonBody } from "../../metricstore/engine/metric_engine.ts";
import {
  COMPRESS_MAX_CONCURRENT,
  COMPRESS_MIN_BYTES,
  COMPRESS_SLICE_BYTES,
} from "../limits.ts";

export type Coding = "gzip" | "zstd";

export class Compressor {
  #active = 0;

  /**
   * The coding for an answer of `byteLength`, or `undefined` for none. Over
   * loopback gzip costs more than it saves, and Go clients ask for it by
   * default; zstd is only asked for on purpose.
   */
  choose(req: IncomingMessage, byteLength: number): Coding | undefined {
    if (byteLength < COMPRESS_MIN_BYTES) return undefined;
    const accepted = req.headers["accept-encoding"];
    if (accepted === undefined || this.#active >= COMPRESS_MAX_CONCURRENT) {
      return undefined;
    }
    if (accepts(String(accepted), "zstd")) return "zstd";
    return accepts(String(accepted), "gzip") &&
        !isLoopbackPeer(req.socket.remoteAddress)
      ? "gzip"
      : undefined;
  }

  /** Compresses the whole body. */
  async compress(coding: Coding, body: JsonBody): Promise<JsonBody> {
    this.#active++;
    try {
      return await run(coding, body.chunks);
    } finally {
      this.#active--;
    }
  }

  /** Compresses a body that is made while it is sent. */
  async *through(
    coding: Coding,
    pieces: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    this.#active++;
    const stream = open(coding);
    try {
      let small: Uint8Array[] = [];
      let failure: unknown;
      stream.on("data", (chunk: Uint8Array) => small.push(chunk));
      stream.on("error", (error) => failure ??= error);
      for await (const piece of pieces) {
        await written(stream, piece);
        yield* small;
        small = [];
      }
      const ended = once(stream, "end");
      stream.end();
      await ended;
      if (failure !== undefined) throw failure;
      yield* small;
    } finally {
      stream.destroy();
      this.#active--;
    }
  }
}

function written(
  stream: Gzip | ZstdCompress,
  bytes: Uint8Array,
): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => error ? reject(error) : resolve());
  });
}

async function run(
  coding: Coding,
  input: readonly Uint8Array[],
): Promise<JsonBody> {
  const stream = open(coding);
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  const finished = new Promise<void>((resolve, reject) => {
    stream.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      byteLength += chunk.byteLength;
    });
    stream.on("end", resolve);
    stream.on("error", reject);
  });
  for (const chunk of input) {
    for (let at = 0; at < chunk.byteLength; at += COMPRESS_SLICE_BYTES) {
      const slice = chunk.subarray(at, at + COMPRESS_SLICE_BYTES);
      await written(stream, slice);
      if (slice.byteLength === COMPRESS_SLICE_BYTES) await nextTurn();
    }
  }
  stream.end();
  await finished;
  return { chunks, byteLength };
}

function open(coding: Coding): Gzip | ZstdCompress {
  return coding === "gzip"
    ? createGzip({ level: constants.Z_BEST_SPEED })
    : createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
    });
}

/** Lets other requests have the thread. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Whether an `Accept-Encoding` header names the coding with a weight above 0. */
export function accepts(header: string, coding: string): boolean {
  for (const item of header.split(",")) {
    const [name, ...parameters] = item.split(";");
    if (name?.trim().toLowerCase() !== coding) continue;
    return !parameters.some((parameter) =>
      /^\s*q\s*=\s*0(\.0*)?\s*$/i.test(parameter)
    );
  }
  return false;
}

function isLoopbackPeer(address: string | undefined): boolean {
  return address !== undefined &&
    (address.startsWith("127.") || address === "::1" ||
      address.startsWith("::ffff:127."));
}
