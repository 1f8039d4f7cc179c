/**
 * The clock of the pages: the browser's, set by the server's, so that ages and ranges
 * are right on a machine whose clock is wrong. No other file reads a wall clock.
 */
import { signal } from "@preact/signals";

let aheadSec = 0;

/** Seconds since the epoch by the server's clock, with fractions. */
export function nowSec(): number {
  return Date.now() / 1000 + aheadSec;
}

/** Told by each answer that says what time it is. */
export function setServerTime(sec: number): void {
  const difference = sec - Date.now() / 1000;
  // Small differences are the way of the answer; following them would make ages jump.
  if (Math.abs(difference - aheadSec) > 2) aheadSec = difference;
}

/** Whole seconds; changes once a second while somebody can see it. */
export const second = signal(Math.floor(nowSec()));

setInterval(() => {
  if (document.visibilityState === "visible") {
    second.value = Math.floor(nowSec());
  }
}, 1000);
