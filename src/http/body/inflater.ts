/** Decompression of request bodies as streams; zlib works on the thread that calls it. */
import { createGunzip, type Gunzip } from "node:zlib";
import type { ClientError } from "../../base/errors.ts";
import { INFLATE_CHUNK_BYTES } from "../limits.ts";
import { malformedBody } from "./request_coding.ts";
import { ZstdInflater } from "./zstd_inflater.ts";

export interface InflaterEvents {
  /** The next inflated bytes. */
  data(chunk: Uint8Array): void;
  /** The body was whole. */
  end(): void;
  /** The body is not what its header says, or was cut off. */
  error(error: ClientError): void;
}

export interface Inflater {
  /** Hands over compressed bytes; false: wait for {@linkcode onDrain}. */
  write(chunk: Uint8Array): boolean;
  /** Calls `resume` once, when there is room again. */
  onDrain(resume: () => void): void;
  /** No more compressed bytes. */
  finish(): void;
  pause(): void;
  resume(): void;
  /** No more events are wanted. */
  destroy(): void;
}

/** Of `end` and `error` an inflater calls one, once, and nothing after it. */
export function createInflater(
  coding: "gzip" | "zstd",
  events: InflaterEvents,
): Inflater {
  return coding === "gzip"
    ? new GzipInflater(events)
    : new ZstdInflater(events);
}

class GzipInflater implements Inflater {
  readonly #stream: Gunzip;

  constructor(events: InflaterEvents) {
    this.#stream = createGunzip({ chunkSize: INFLATE_CHUNK_BYTES });
    this.#stream.on("data", (chunk: Uint8Array) => events.data(chunk));
    this.#stream.on("end", () => events.end());
    this.#stream.on(
      "error",
      (error: Error) => events.error(malformedBody("gzip", error.message)),
    );
  }

  write(chunk: Uint8Array): boolean {
    return this.#stream.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.#stream.once("drain", resume);
  }

  finish(): void {
    this.#stream.end();
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
}
