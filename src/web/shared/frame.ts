/**
 * Frames: binary answers of samples (web 4.3). A JSON header says which arrays there
 * are, and the arrays follow in its order. Encoder and decoder in one file; pure, in
 * the server and in browsers alike.
 *
 * Bytes: `RSF1`, the header's length as u32, the header as JSON in UTF-8 padded with
 * blanks, then the arrays. The first array and each following one begin at a multiple
 * of 8; all numbers are little-endian. NaN is "no value".
 */

export const FRAME_TYPE = "application/vnd.ringstore.frame";

/** The bytes `RSF1`. */
const MAGIC = [0x52, 0x53, 0x46, 0x31] as const;
const HEADER_AT = 8;
const ALIGN = 8;
const BLANK = 0x20;

export type FrameArray = Float32Array | Float64Array | Uint16Array;
export type FrameArrayType = "f32" | "f64" | "u16";

/** As in `cluster.json`: a base (`B/s`) and the prefix of the values (`G`). */
export interface FrameUnit {
  readonly base: string;
  readonly prefix?: string;
}

/** The series of an array; its type and length come from the array. */
export interface FrameArrayAbout {
  readonly metric: string;
  readonly host?: string;
  readonly scope?: string;
  /** Id of a hardware thread, core, accelerator…, as the scope counts them. */
  readonly id?: string;
  /** The part of several series, or an age in seconds. */
  readonly part?: "min" | "mean" | "max" | "age";
  readonly unit: FrameUnit;
  /** Over all samples, also those that thinning leaves out. */
  readonly stats?: {
    readonly min: number;
    readonly avg: number;
    readonly max: number;
  };
  /** Seconds between two samples as they are stored. */
  readonly native: number;
  /** Where this array's first point is and how far apart they are, if not as the frame's. */
  readonly from?: number;
  readonly step?: number;
}

export interface FrameArrayHead extends FrameArrayAbout {
  readonly type: FrameArrayType;
  readonly length: number;
}

export interface FrameError {
  readonly metric: string;
  readonly host?: string;
  readonly error: string;
}

/** The properties of the whole frame. */
export interface FrameAbout {
  /** Unix seconds of the first point. */
  readonly from: number;
  /** Seconds between two points. */
  readonly step: number;
  /** Points of an array that covers all of it. */
  readonly points: number;
  readonly nowSec: number;
  /** When the next samples are due; absent: none will come. */
  readonly nextSec?: number;
  readonly errors: readonly FrameError[];
  /** The cost of the answer. */
  readonly read: {
    readonly series: number;
    readonly samples: number;
    readonly ms: number;
  };
}

export interface FrameHeader extends FrameAbout {
  readonly arrays: readonly FrameArrayHead[];
}

/** An array and what it is of. */
export interface FramePart {
  readonly about: FrameArrayAbout;
  readonly values: FrameArray;
}

export interface Frame {
  readonly header: FrameHeader;
  /** In the order of `header.arrays`. */
  readonly arrays: readonly FrameArray[];
}

/** The bytes of a frame in the order they are sent; lengths are known before. */
export function encodeFrame(
  about: FrameAbout,
  parts: readonly FramePart[],
): Uint8Array<ArrayBuffer> {
  const header: FrameHeader = {
    ...about,
    arrays: parts.map(({ about, values }) => ({
      ...about,
      type: typeOf(values),
      length: values.length,
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = aligned(text.length);
  let size = HEADER_AT + headerBytes;
  for (const { values } of parts) size += aligned(values.byteLength);
  const bytes = new Uint8Array(size);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(4, headerBytes, true);
  bytes.fill(BLANK, HEADER_AT, HEADER_AT + headerBytes);
  bytes.set(text, HEADER_AT);
  let at = HEADER_AT + headerBytes;
  for (const { values } of parts) {
    bytes.set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      at,
    );
    at += aligned(values.byteLength);
  }
  return bytes;
}

/**
 * Views into `bytes`, which must begin at a multiple of 8 of their buffer (the body of
 * a response does). Throws a `RangeError` that says what is wrong with them.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.byteOffset % ALIGN !== 0) {
    throw new RangeError(`a frame at byte ${bytes.byteOffset} is not aligned`);
  }
  if (
    bytes.length < HEADER_AT || MAGIC.some((byte, at) => bytes[at] !== byte)
  ) {
    throw new RangeError("these bytes are no frame: RSF1 is missing");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getUint32(4, true);
  let at = HEADER_AT + headerBytes;
  if (headerBytes % ALIGN !== 0 || at > bytes.length) {
    throw new RangeError(
      `a header of ${headerBytes} bytes in a frame of ${bytes.length}`,
    );
  }
  const header = JSON.parse(
    new TextDecoder().decode(bytes.subarray(HEADER_AT, at)),
  ) as FrameHeader;
  const arrays = header.arrays.map((head, index) => {
    const make = VIEWS[head.type];
    if (make === undefined) {
      throw new RangeError(`array ${index} is of the type ${head.type}`);
    }
    const { bytesEach } = make;
    const end = at + head.length * bytesEach;
    if (!Number.isSafeInteger(head.length) || head.length < 0) {
      throw new RangeError(`array ${index} has the length ${head.length}`);
    }
    if (end > bytes.length) {
      throw new RangeError(
        `array ${index} ends at byte ${end}, the frame at ${bytes.length}`,
      );
    }
    const array = make.of(bytes.buffer, bytes.byteOffset + at, head.length);
    at += aligned(head.length * bytesEach);
    return array;
  });
  return { header, arrays };
}

const VIEWS: Readonly<
  Record<
    FrameArrayType,
    {
      readonly bytesEach: number;
      of(buffer: ArrayBufferLike, at: number, length: number): FrameArray;
    }
  >
> = {
  f32: {
    bytesEach: 4,
    of: (buffer, at, length) => new Float32Array(buffer, at, length),
  },
  f64: {
    bytesEach: 8,
    of: (buffer, at, length) => new Float64Array(buffer, at, length),
  },
  u16: {
    bytesEach: 2,
    of: (buffer, at, length) => new Uint16Array(buffer, at, length),
  },
};

function typeOf(values: FrameArray): FrameArrayType {
  if (values instanceof Float32Array) return "f32";
  return values instanceof Float64Array ? "f64" : "u16";
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}
