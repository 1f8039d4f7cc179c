/** Counters of job events and node states since the start. */
import type { EventProblem } from "./job_events.ts";

export class JobEventStats {
  messages = 0;
  /** Events that the job API took, and those it refused. */
  handled = 0;
  failed = 0;
  /** Starts of known jobs and stops of those that have ended: told again. */
  known = 0;
  /** Attempts that were repeated: a stop before its start, a busy server. */
  retries = 0;
  /** Events for which there was no room. */
  dropped = 0;
  /** Lines, or rests of messages, that are no events. */
  readonly problems: Partial<Record<EventProblem, number>> = {};

  count(problem: EventProblem): void {
    this.problems[problem] = (this.problems[problem] ?? 0) + 1;
  }
}
