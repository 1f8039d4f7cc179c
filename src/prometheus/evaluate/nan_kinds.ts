/**
 * The kinds of NaN that samples have in storage and on the wire. Arithmetic may
 * change the bits of a NaN, so they are told apart by integer views, and only where
 * samples come in. Any thread.
 */

/** Upper half of every NaN that is stored: the quiet form. */
const QUIET_HIGH = 0x7ff80000;
/** Upper half of the stale marker as senders write it. */
const SIGNALLING_HIGH = 0x7ff00000;
/** Lower half of the stale marker. */
const STALE_LOW = 2;

/** Whether this machine keeps the lower half of a double first. */
const LOW_FIRST = new Uint32Array(new Float64Array([1]).buffer)[0] === 0;

/** The bits of doubles as pairs of 32-bit halves; a view, not a copy. */
export function bitsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
}

/** Whether the double at `index` is a stale marker, in either form. */
export function isStaleAt(bits: Uint32Array, index: number): boolean {
  const low = bits[2 * index + (LOW_FIRST ? 0 : 1)];
  const high = bits[2 * index + (LOW_FIRST ? 1 : 0)];
  return low === STALE_LOW && (high === QUIET_HIGH || high === SIGNALLING_HIGH);
}

/** Writes a stale marker in the form that survives copies. */
export function writeStale(bits: Uint32Array, index: number): void {
  bits[2 * index + (LOW_FIRST ? 0 : 1)] = STALE_LOW;
  bits[2 * index + (LOW_FIRST ? 1 : 0)] = QUIET_HIGH;
}
