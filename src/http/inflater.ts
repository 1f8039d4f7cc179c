/**
 * Decompression of request bodies. Zstandard under Deno ends without an error
 * when its input is cut off, so a frame holding {@linkcode SENTINEL} is put after
 * the body: if the text does not come out, the body was not whole. The sentinel
 * is line ends, which neither line protocol nor JSON minds.
 */
import {
  constants,
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  zstdCompressSync,
  type ZstdDecompress,
} from "node:zlib";
import { ClientError } from "../errors.ts";
import { ZSTD_WINDOW_LOG_MAX } from "./limits.ts";

const SENTINEL_BYTES = 8;
const SENTINEL = new TextEncoder().encode("\n".repeat(SENTINEL_BYTES));
const LINE_END = 10;
const CHUNK_BYTES = 64 << 10;

export type RequestCoding = "identity" | "gzip" | "zstd";

/** The coding of a `Content-Encoding` header; throws `E_ENCODING` for others. */
export function requestCoding(header: string | undefined): RequestCoding {
  const name = header?.trim().toLowerCase() ?? "";
  switch (name) {
    case "":
    case "identity":
      return "identity";
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "zstd":
      return "zstd";
    default:
      throw new ClientError(
        "E_ENCODING",
        `Content-Encoding: expected gzip, zstd or identity, got ${
          JSON.stringify(name.slice(0, 40))
        }`,
      );
  }
}

export interface InflaterEvents {
  /** The next inflated bytes. */
  data(chunk: Uint8Array): void;
  /** The body was whole. */
  end(): void;
  /** The body is not what its header says, or was cut off. */
  error(error: ClientError): void;
}

export class Inflater {
  readonly #stream: Gunzip | ZstdDecompress;
  readonly #coding: "gzip" | "zstd";
  #lineEnds = 0;

  constructor(coding: "gzip" | "zstd", events: InflaterEvents) {
    this.#coding = coding;
    this.#stream = coding === "gzip"
      ? createGunzip({ chunkSize: CHUNK_BYTES })
      : createZstdDecompress({
        chunkSize: CHUNK_BYTES,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
      });
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#countLineEnds(chunk);
      events.data(chunk);
    });
    this.#stream.on("end", () => {
      if (coding === "gzip" || this.#lineEnds >= SENTINEL_BYTES) events.end();
      else events.error(this.#malformed("unexpected end"));
    });
    this.#stream.on(
      "error",
      (error: Error) => events.error(this.#malformed(error.message)),
    );
  }

  /** Hands over compressed bytes; false: wait for {@linkcode onDrain}. */
  write(chunk: Uint8Array): boolean {
    return this.#stream.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.#stream.once("drain", resume);
  }

  /** No more compressed bytes. */
  finish(): void {
    if (this.#coding === "gzip") this.#stream.end();
    else this.#stream.end(zstdCompressSync(SENTINEL));
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** How many line ends the output ends with, as far as it matters. */
  #countLineEnds(chunk: Uint8Array): void {
    let count = 0;
    while (
      count < SENTINEL_BYTES && count < chunk.byteLength &&
      chunk[chunk.byteLength - 1 - count] === LINE_END
    ) count++;
    this.#lineEnds = count === chunk.byteLength
      ? this.#lineEnds + count
      : count;
  }

  #malformed(reason: string): ClientError {
    return new ClientError(
      "E_BAD_REQUEST",
      `the body is not valid ${this.#coding}: ${reason}`,
    );
  }
}
