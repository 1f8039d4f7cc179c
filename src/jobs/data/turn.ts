/**
 * Turns of long work on the main thread: a reader or writer of many values does a
 * millisecond of it, and waits here. One of all waiters goes on in each round of the
 * event loop, so that the wait of others does not grow with the number of readers.
 */
import { setImmediate } from "node:timers";

const waiting: (() => void)[] = [];

/** Resolves when all else has had its turn, and those who waited before. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(goOn);
  });
}

function goOn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(goOn);
}
