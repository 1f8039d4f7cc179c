/**
 * Every bound of the HTTP server that is not in the configuration, in one place.
 * Tests inject smaller ones.
 */

export interface HttpLimits {
  /** A client must have sent its headers within this time. */
  readonly headersMs: number;
  /** And the whole request within this. Upstream's read timeout. */
  readonly requestMs: number;
  /** How often the two above are looked at. */
  readonly checkIntervalMs: number;
  /** Collectors keep idle connections for 120 s; ours must live longer. */
  readonly keepAliveMs: number;
  /** Bodies and answers must move so many bytes a second, on average over `slowMs`. */
  readonly bytesPerSecMin: number;
  readonly slowMs: number;
  /** Under pressure a request waits this long for room before it is refused. */
  readonly overloadWaitMs: number;
  /** How long requests in flight may go on once the server stops; of 5 s in all. */
  readonly closeMs: number;
  /** An unread body up to this size is read and dropped, to keep the connection. */
  readonly drainBytes: number;
  /** A larger one is read for this long, so that the client sees the answer. */
  readonly lingerMs: number;
  readonly lingerBytes: number;
  readonly headerBytes: number;
  /** Who sends a body for longer than this is asked again who that is. */
  readonly recheckMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  checkIntervalMs: 1_000,
  keepAliveMs: 135_000,
  bytesPerSecMin: 1024,
  slowMs: 20_000,
  overloadWaitMs: 4_000,
  closeMs: 4_500,
  drainBytes: 1 << 20,
  lingerMs: 2_000,
  lingerBytes: 8 << 20,
  headerBytes: 16 << 10,
  recheckMs: 1_000,
};

/** Answers smaller than this are not worth compressing. */
export const COMPRESS_MIN_BYTES = 1024;

/** Answers compressed at a time; further ones go out as they are. */
export const COMPRESS_MAX_CONCURRENT = 4;

/** Bytes compressed in one go; about a millisecond of the main thread. */
export const COMPRESS_SLICE_BYTES = 256 << 10;

/** What sizes and extensions of the chunks of a body may add to its limit as sent. */
export const CHUNK_FRAMING_BYTES = 64 << 10;

/** Memory of a zstd decoder: RFC 9659 bounds the window of the coding to 8 MiB. */
export const ZSTD_WINDOW_LOG_MAX = 23;

/** A frame costs 20 µs for its decoder, even where nothing is in it. */
export const ZSTD_MAX_FRAMES = 16_384;

/** A block costs 5 µs; full ones are 128 KiB, flushing makes them smaller. */
export const ZSTD_MAX_BLOCKS = 262_144;

/** Inflated bytes handed over at a time, at most. */
export const INFLATE_CHUNK_BYTES = 64 << 10;

/**
 * Inflated bytes of a batch for one that was sent, at most, and how many are free of
 * that. The coding itself reaches a thousand.
 */
export const INFLATE_RATIO_MAX = 300;
export const INFLATE_FREE_BYTES = 1 << 20;

/** Seconds in `Retry-After` where nothing better is known. */
export const RETRY_AFTER_SEC = 1;

/** Twice the reads of the job API at a time: a quarter of what the database takes. */
export const READS_MAX = 512;
