/**
 * SERIES frames (layout in `selection_messages.ts`): gathered in memory of a fixed
 * size, written into a ring in one go, read on the other side. Any thread.
 */
import { assert } from "../../base/assert.ts";
import {
  pad8,
  SELECTION_KIND,
  SERIES_GOES_ON,
  SERIES_HEAD_BYTES,
  seriesFrameBytes,
  type SeriesLabels,
} from "./selection_messages.ts";
import type { RingConsumer, RingProducer } from "./ring.ts";

/** Samples of a frame: 128 KiB of times and values. */
export const FRAME_SAMPLES = 8192;
/** Series of a frame, and UTF-16 units of their names before a frame is sent. */
const FRAME_SERIES = 1024;
const FRAME_NAME_UNITS = 64 << 10;

const ENCODER = new TextEncoder();

/** A frame that is being filled. */
export class SeriesFrame {
  readonly timesMs = new Float64Array(FRAME_SAMPLES);
  readonly values = new Float64Array(FRAME_SAMPLES);
  /** Samples in it; the reader of samples makes it grow. */
  count = 0;
  #names: SeriesLabels[] = [];
  #nameUnits = 0;
  readonly #counts: number[] = [];
  readonly #frequencies: number[] = [];
  #goesOn = false;

  get isEmpty(): boolean {
    return this.#names.length === 0;
  }

  get isFull(): boolean {
    return this.count === FRAME_SAMPLES ||
      this.#names.length >= FRAME_SERIES ||
      this.#nameUnits >= FRAME_NAME_UNITS;
  }

  /** The last `samples` samples are those of this series; `goesOn`: it has more. */
  end(
    labels: SeriesLabels,
    frequencySec: number,
    samples: number,
    goesOn: boolean,
  ): void {
    this.#names.push(labels);
    for (const label of labels) this.#nameUnits += label.length;
    this.#counts.push(samples);
    this.#frequencies.push(frequencySec);
    this.#goesOn = goesOn;
  }

  /** Writes it into the ring and is empty then; `false`: there is no room now. */
  send(ring: RingProducer, id: number): boolean {
    const names = ENCODER.encode(JSON.stringify(this.#names));
    const series = this.#names.length;
    const bytes = seriesFrameBytes(series, this.count, names.length);
    const at = ring.reserve(bytes);
    if (at < 0) return false;
    const memory = ring.bytes.buffer;
    let to = ring.bytes.byteOffset + at;
    new Uint32Array(memory, to, 4).set([series, this.count, names.length, 0]);
    to += SERIES_HEAD_BYTES;
    ring.bytes.set(names, to - ring.bytes.byteOffset);
    to += pad8(names.length);
    new Uint32Array(memory, to, series).set(this.#counts);
    to += pad8(4 * series);
    new Uint32Array(memory, to, series).set(this.#frequencies);
    to += pad8(4 * series);
    new Float64Array(memory, to, this.count)
      .set(this.timesMs.subarray(0, this.count));
    to += 8 * this.count;
    new Float64Array(memory, to, this.count)
      .set(this.values.subarray(0, this.count));
    const aux = this.#goesOn ? SERIES_GOES_ON : 0;
    ring.commit(SELECTION_KIND.SERIES, id, aux, bytes);
    this.#clear();
    return true;
  }

  #clear(): void {
    this.count = 0;
    this.#names = [];
    this.#nameUnits = 0;
    this.#counts.length = 0;
    this.#frequencies.length = 0;
    this.#goesOn = false;
  }
}

/** A frame as it was read: copies in memory of the reading thread. */
export interface SeriesPiece {
  readonly labels: readonly SeriesLabels[];
  readonly counts: Uint32Array;
  readonly frequenciesSec: Uint32Array;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  /** The last series has more samples. */
  readonly goesOn: boolean;
}

const DECODER = new TextDecoder();

/** Reads the frame that the consumer looks at. */
export function readSeriesFrame(frame: RingConsumer): SeriesPiece {
  const memory = frame.bytes.buffer;
  let at = frame.bytes.byteOffset + frame.start;
  const [series, samples, nameBytes] = new Uint32Array(memory, at, 4);
  assert(
    series !== undefined && samples !== undefined && nameBytes !== undefined &&
      seriesFrameBytes(series, samples, nameBytes) === frame.end - frame.start,
    "a SERIES frame has the wrong length",
  );
  at += SERIES_HEAD_BYTES;
  // A copy: the decoder does not take views of shared memory.
  const names = new Uint8Array(new Uint8Array(memory, at, nameBytes));
  at += pad8(nameBytes);
  const counts = new Uint32Array(new Uint32Array(memory, at, series));
  at += pad8(4 * series);
  const frequenciesSec = new Uint32Array(new Uint32Array(memory, at, series));
  at += pad8(4 * series);
  const timesMs = new Float64Array(new Float64Array(memory, at, samples));
  at += 8 * samples;
  const values = new Float64Array(new Float64Array(memory, at, samples));
  return {
    labels: JSON.parse(DECODER.decode(names)) as SeriesLabels[],
    counts,
    frequenciesSec,
    timesMs,
    values,
    goesOn: frame.aux === SERIES_GOES_ON,
  };
}
