/**
 * Invariants of our own state, checked in production too. Input is validated
 * with errors; a failed assertion means that this program is wrong.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${message}`);
}
