/**
 * The header of WRITE and FORWARD frames: the values of a batch that a shard needs
 * before it reads the lines.
 *
 * | offset | bytes | type | field        |                                          |
 * | ------ | ----- | ---- | ------------ | ---------------------------------------- |
 * | 0      | 8     | f64  | `NOW_SEC`    | arrival of the batch, seconds            |
 * | 8      | 4     | u32  | `LINE`       | number of the first line                 |
 * | 12     | 4     | u32  | `CONTEXT`    | bytes of the `BatchContext` (JSON)       |
 * | 16     | 8     | f64  | `SEQUENCE`   | sequence of the stream mark; 0: none     |
 * | 24     | 4     | u32  | `RUNS`       | runs of lines; 0: numbered from `LINE`   |
 * | 28     | 2     | u16  | `STREAM`     | bytes of the stream's name (UTF-8)       |
 * | 30     | 2     |      |              | zero                                     |
 *
 * Behind it lie the context, the name of the stream, the runs, and the lines. A run
 * is two u32: the number of its first line in the batch, and how many lines it has.
 * A FORWARD frame carries lines from all over a part; runs keep their numbers.
 *
 * The frame that ends a marked batch has no lines; its `LINE` is the number of
 * FORWARD frames that went before it.
 */
import { assert } from "../../base/assert.ts";

const NOW_SEC = 0;
const LINE = 8;
const CONTEXT = 12;
const SEQUENCE = 16;
const RUNS = 24;
const STREAM = 28;
export const WRITE_HEADER_BYTES = 32;
export const RUN_BYTES = 8;

assert(
  SEQUENCE % 8 === 0 && STREAM + 4 === WRITE_HEADER_BYTES,
  "fields of the write header overlap",
);

/** Values of the header; context and stream as the bytes that follow it. */
export interface WriteHeader {
  readonly nowSec: number;
  readonly line: number;
  readonly context: Uint8Array;
  readonly stream: Uint8Array;
  readonly sequence: number;
  /** How many runs the writer puts behind the stream's name. */
  readonly runs: number;
}

/** Memory and the offset of a frame in it, as a `RingConsumer` shows them. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
}

/** Bytes of header, context, stream and runs together. */
export function headBytes(
  context: Uint8Array,
  stream: Uint8Array,
  runs: number,
): number {
  return WRITE_HEADER_BYTES + context.length + stream.length +
    runs * RUN_BYTES;
}

/** Writes header, context and stream at `at`; returns where the runs belong. */
export function writeHead(
  bytes: Uint8Array,
  at: number,
  header: WriteHeader,
): number {
  const { context, stream } = header;
  const view = new DataView(
    bytes.buffer,
    bytes.byteOffset + at,
    WRITE_HEADER_BYTES,
  );
  view.setFloat64(NOW_SEC, header.nowSec, true);
  view.setUint32(LINE, header.line, true);
  view.setUint32(CONTEXT, context.length, true);
  view.setFloat64(SEQUENCE, header.sequence, true);
  view.setUint32(RUNS, header.runs, true);
  view.setUint16(STREAM, stream.length, true);
  view.setUint16(STREAM + 2, 0, true);
  bytes.set(context, at + WRITE_HEADER_BYTES);
  const streamAt = at + WRITE_HEADER_BYTES + context.length;
  bytes.set(stream, streamAt);
  return streamAt + stream.length;
}

/** Arrival of the batch, seconds. */
export function nowSecOf({ view, start }: Frame): number {
  return view.getFloat64(start + NOW_SEC, true);
}

/** Number of the first line; of an end frame, the frames before it. */
export function lineOf({ view, start }: Frame): number {
  return view.getUint32(start + LINE, true);
}

/** Sequence of the stream mark; 0: the batch has none. */
export function sequenceOf({ view, start }: Frame): number {
  return view.getFloat64(start + SEQUENCE, true);
}

/** How many runs the lines have; 0: they are numbered one after the other. */
export function runsOf({ view, start }: Frame): number {
  return view.getUint32(start + RUNS, true);
}

/** A copy of the context's JSON: decoders take no views of shared memory. */
export function contextOf(frame: Frame): Uint8Array<ArrayBuffer> {
  return copyOf(frame, frame.start + WRITE_HEADER_BYTES, contextEnd(frame));
}

/** A copy of the stream's name. */
export function streamOf(frame: Frame): Uint8Array<ArrayBuffer> {
  return copyOf(frame, contextEnd(frame), runsAt(frame));
}

/** Where the runs begin. */
export function runsAt(frame: Frame): number {
  return contextEnd(frame) + frame.view.getUint16(frame.start + STREAM, true);
}

/** Where the lines begin. */
export function textStart(frame: Frame): number {
  return runsAt(frame) + runsOf(frame) * RUN_BYTES;
}

function contextEnd({ start, view }: Frame): number {
  return start + WRITE_HEADER_BYTES + view.getUint32(start + CONTEXT, true);
}

function copyOf(
  frame: Frame,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(frame.bytes.subarray(from, to));
}
