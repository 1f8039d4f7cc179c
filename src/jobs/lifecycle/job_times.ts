/** Which times of jobs are believed. Pure. */
import { ClientError } from "../../base/errors.ts";

/** Clocks of batch systems are not more wrong than this; time zones are not either. */
const AHEAD_MAX_SEC = 86400;

/** Whether a Unix time in seconds is too far ahead of the clock to be meant. */
export function isTooFarAhead(timeSec: number, nowSec: number): boolean {
  return timeSec > nowSec + AHEAD_MAX_SEC;
}

/** The refusal of such a time; milliseconds are the usual cause. */
export function tooFarAhead(field: string, timeSec: number): ClientError {
  return new ClientError(
    "E_BAD_REQUEST",
    `${field}: ${timeSec} is more than a day ahead of the clock; Unix seconds are expected, not milliseconds`,
  );
}
