/** Small things about jobs that lists, cards and heads have in common. */
import type { JSX } from "preact";
import type { JobRowAnswer } from "../../shared/answers.ts";
import { formatAge, formatMoment, formatSpan } from "../../shared/times.ts";
import { nowSec, second } from "../clock.ts";
import { zone } from "../state/session.ts";

const WORDS: Readonly<Record<string, string>> = {
  boot_fail: "boot failed",
  node_fail: "node failed",
  out_of_memory: "out of memory",
};
const FAILED = new Set(["boot_fail", "failed", "node_fail", "out_of_memory"]);
const ODD = new Set([
  "cancelled",
  "deadline",
  "preempted",
  "suspended",
  "timeout",
]);

export function JobState({ state }: { state: string }): JSX.Element {
  const kind = state === "running"
    ? "running"
    : FAILED.has(state)
    ? "failed"
    : ODD.has(state)
    ? "odd"
    : "done";
  return <span class={`state ${kind}`}>{WORDS[state] ?? state}</span>;
}

/** Seconds a job has run by now. */
export function durationOf(job: JobRowAnswer): number {
  return job.state === "running"
    ? Math.max(job.duration, nowSec() - job.startTime)
    : job.duration;
}

/** How long ago, with the moment on pointing. */
export function Ago({ sec }: { sec: number }): JSX.Element {
  const moment = formatMoment(sec, zone.value);
  return <time title={moment}>{formatAge(sec, second.value)}</time>;
}

export function Moment({ sec }: { sec: number }): JSX.Element {
  return <time>{formatMoment(sec, zone.value)}</time>;
}

/** Duration, and its share of the walltime as a bar. */
export function Walltime({ job }: { job: JobRowAnswer }): JSX.Element {
  if (job.state === "running") second.value;
  const duration = durationOf(job);
  if (job.walltime <= 0) return <span>{formatSpan(duration)}</span>;
  const share = Math.min(1, duration / job.walltime);
  return (
    <span title={`${formatSpan(duration)} of ${formatSpan(job.walltime)}`}>
      {formatSpan(duration)}{" "}
      <span class="bar" aria-hidden="true">
        <span
          class="bar-fill"
          style={{ width: `${(share * 100).toFixed(0)}%` }}
        />
      </span>
    </span>
  );
}

/** The page of a job. */
export function jobPath(id: number): string {
  return `/monitoring/job/${id}`;
}
