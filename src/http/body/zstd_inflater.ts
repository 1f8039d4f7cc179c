/**
 * Zstandard bodies of any number of frames, on the streams of zlib. Main thread.
 *
 * Those have three faults, as of Deno 2.9, which knowing the ends of frames and
 * blocks beforehand cures. They stop after the first frame: here each frame has a
 * decoder of its own. They end without an error when the input is cut off: here
 * the frames are counted. And an error that is found after the output buffer was
 * full once is thrown where nobody can catch it: here each write ends with its
 * block, so that whatever can fail does so before the first byte of output.
 *
 * Invariants: frames are decoded one after the other, no write reaches beyond a
 * block, and what comes in meanwhile waits in the queue.
 */
import {
  constants,
  createZstdDecompress,
  type ZstdDecompress,
} from "node:zlib";
import { ClientError } from "../../base/errors.ts";
import type { Inflater, InflaterEvents } from "./inflater.ts";
import {
  INFLATE_CHUNK_BYTES,
  ZSTD_MAX_BLOCKS,
  ZSTD_MAX_FRAMES,
  ZSTD_WINDOW_LOG_MAX,
} from "../limits.ts";
import { malformedBody } from "./request_coding.ts";
import { ZstdFrameScanner } from "./zstd_frames.ts";

export class ZstdInflater implements Inflater {
  readonly #events: InflaterEvents;
  readonly #scanner = new ZstdFrameScanner({
    maxWindowBytes: 2 ** ZSTD_WINDOW_LOG_MAX,
    maxFrames: ZSTD_MAX_FRAMES,
    maxBlocks: ZSTD_MAX_BLOCKS,
  });
  readonly #queue: Uint8Array[] = [];
  /** Decoder of the frame under way. */
  #decoder: ZstdDecompress | undefined;
  /** It has all of its input; the next frame waits until it is through. */
  #decoderEnding = false;
  #decoderFull = false;
  #paused = false;
  #finished = false;
  #done = false;
  #onDrain: (() => void) | undefined;

  constructor(events: InflaterEvents) {
    this.#events = events;
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.byteLength > 0) this.#queue.push(chunk);
    this.#advance();
    return this.#roomy;
  }

  onDrain(resume: () => void): void {
    this.#onDrain = resume;
  }

  finish(): void {
    this.#finished = true;
    this.#advance();
  }

  pause(): void {
    this.#paused = true;
    this.#decoder?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#decoder?.resume();
  }

  destroy(): void {
    this.#done = true;
    this.#queue.length = 0;
    this.#decoder?.destroy();
  }

  get #roomy(): boolean {
    return this.#queue.length === 0 && !this.#decoderFull;
  }

  /** Does all that can be done without waiting for the decoder. */
  #advance(): void {
    while (
      !this.#done && !this.#decoderEnding && !this.#decoderFull &&
      this.#queue.length > 0
    ) this.#decodeNext();
    if (this.#done || !this.#roomy || this.#decoderEnding) return;
    if (this.#finished) this.#finishNow();
    else this.#drained();
  }

  #decodeNext(): void {
    const chunk = this.#queue[0]!;
    let length: number;
    try {
      length = this.#scanner.scan(chunk);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#fail(error);
      return;
    }
    if (length === chunk.byteLength) this.#queue.shift();
    else this.#queue[0] = chunk.subarray(length);
    this.#decoder ??= this.#openDecoder();
    const decoder = this.#decoder;
    const more = decoder.write(chunk.subarray(0, length));
    if (this.#scanner.betweenFrames) {
      this.#decoderEnding = true;
      decoder.end();
    } else if (!more) {
      this.#decoderFull = true;
      decoder.once("drain", () => {
        this.#decoderFull = false;
        this.#advance();
      });
    }
  }

  /** All input has been handed over, and there will be no more. */
  #finishNow(): void {
    if (this.#decoder !== undefined) {
      // Cut off: what came before is passed on, as gzip has it, then it fails.
      this.#decoderEnding = true;
      this.#decoder.end();
    } else if (this.#scanner.betweenFrames && this.#scanner.frames > 0) {
      this.#done = true;
      this.#events.end();
    } else this.#fail(malformedBody("zstd", "unexpected end of the data"));
  }

  #drained(): void {
    const resume = this.#onDrain;
    this.#onDrain = undefined;
    resume?.();
  }

  #openDecoder(): ZstdDecompress {
    const decoder = createZstdDecompress({
      chunkSize: INFLATE_CHUNK_BYTES,
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
    });
    decoder.on("data", (chunk: Uint8Array) => {
      if (!this.#done) this.#events.data(chunk);
    });
    decoder.on("end", () => this.#frameEnded());
    decoder.on(
      "error",
      (error: Error) => this.#fail(malformedBody("zstd", error.message)),
    );
    if (this.#paused) decoder.pause();
    return decoder;
  }

  #frameEnded(): void {
    if (this.#done) return;
    if (!this.#decoderEnding) {
      this.#fail(malformedBody("zstd", "a frame ends too early"));
      return;
    }
    this.#decoder = undefined;
    this.#decoderEnding = false;
    this.#advance();
  }

  #fail(error: ClientError): void {
    if (this.#done) return;
    this.destroy();
    this.#events.error(error);
  }
}
