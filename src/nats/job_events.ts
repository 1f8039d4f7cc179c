/**
 * Job events and node states as they come by NATS: lines of line protocol whose string
 * field `event` holds JSON (job-api 8.1). The job API reads the JSON. Pure.
 *
 * A line that is no line protocol ends its message, since the begin of the next line is
 * unknown. Any other fault costs one line.
 */
import { parseExact } from "../base/job_number.ts";
import {
  type EventLine,
  EventSyntaxError,
  readEventLines,
} from "./event_line.ts";

/** The kind of a message's events, by the subject it came on. */
export type EventSubject = "job" | "nodestate";

export interface JobEvent {
  readonly kind: "start" | "stop" | "nodestate";
  /** Events with the same key are handled in order: a job, or a cluster's nodes. */
  readonly key: string;
  /** A JSON object. */
  readonly json: string;
}

/** Why a line, or the rest of a message, is not an event. */
export const EVENT_PROBLEMS = [
  "empty",
  "syntax",
  "measurement",
  "no-event",
  "function",
  "json",
] as const;
export type EventProblem = typeof EVENT_PROBLEMS[number];

export interface ProblemReport {
  readonly problem: EventProblem;
  readonly message: string;
}

export interface ParsedEvents {
  readonly events: readonly JobEvent[];
  readonly problems: readonly ProblemReport[];
}

const FUNCTIONS: ReadonlyMap<string, "start" | "stop"> = new Map([
  ["start_job", "start"],
  ["stop_job", "stop"],
]);
/** Text of a message that is repeated in a report. */
const QUOTED_CHARS = 60;

/** Bytes that are not UTF-8 become U+FFFD, as in bodies that come by HTTP. */
const UTF8 = new TextDecoder("utf-8");

/** Reads a whole message. */
export function parseEvents(
  data: Uint8Array,
  subject: EventSubject,
): ParsedEvents {
  const events: JobEvent[] = [];
  const problems: ProblemReport[] = [];
  try {
    const text = UTF8.decode(data);
    let lines = 0;
    for (const line of readEventLines(text)) {
      lines++;
      const found = eventOf(line, subject);
      if ("problem" in found) problems.push(found);
      else events.push(found);
    }
    if (lines === 0) {
      problems.push({ problem: "empty", message: "the message has no lines" });
    }
  } catch (error) {
    if (!(error instanceof EventSyntaxError)) throw error;
    problems.push({ problem: "syntax", message: error.message });
  }
  return { events, problems };
}

function eventOf(
  line: EventLine,
  subject: EventSubject,
): JobEvent | ProblemReport {
  if (line.measurement !== subject) {
    return {
      problem: "measurement",
      message: `measurement ${quote(line.measurement)}, not "${subject}"`,
    };
  }
  const json = line.strings.get("event");
  if (json === undefined) {
    return { problem: "no-event", message: "no string field event" };
  }
  const given = line.tags.get("function") ?? "";
  const kind = subject === "nodestate" ? "nodestate" : FUNCTIONS.get(given);
  if (kind === undefined) {
    return {
      problem: "function",
      message: `tag function is ${quote(given)}, not start_job or stop_job`,
    };
  }
  const key = keyOf(json, kind);
  return key === undefined
    ? { problem: "json", message: `event is no JSON object: ${quote(json)}` }
    : { kind, key, json };
}

/** `undefined`: the text is no JSON object. */
function keyOf(json: string, kind: JobEvent["kind"]): string | undefined {
  let value: unknown;
  try {
    value = parseExact(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return undefined;
  }
  // A stop may leave its cluster out, so jobs of the same number share a key.
  const name: unknown = Reflect.get(
    value,
    kind === "nodestate" ? "cluster" : "jobId",
  );
  return typeof name === "number" || typeof name === "bigint" ||
      typeof name === "string"
    ? String(name)
    : "";
}

function quote(text: string): string {
  return JSON.stringify(
    text.length > QUOTED_CHARS ? `${text.slice(0, QUOTED_CHARS)}…` : text,
  );
}
