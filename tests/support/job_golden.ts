/**
 * The recorded exchanges of the job API and the rules for comparing our answers
 * with them, as `testdata/golden/jobs/README.md` states them. Pure: what is sent and
 * received happens elsewhere.
 */
import assert from "node:assert/strict";
import { isRecord } from "./golden.ts";

export interface JobStep {
  /** Upstream needed time here: what for. */
  readonly wait?: string;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly body?: string;
    /** Name in the credentials; null: none. */
    readonly token?: string | null;
    /** Cookie jar to use and to fill. */
    readonly session?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly upstream?: {
    readonly status: number;
    readonly contentType?: string;
    readonly allow?: string;
    readonly location?: string;
    readonly "set-cookie"?: string;
    readonly body: string;
  };
  readonly ours?: { readonly status?: number; readonly note?: string };
}

export interface JobScenario {
  readonly name: string;
  /** Settings of `main` on top of those of every file. */
  readonly main?: Readonly<Record<string, unknown>>;
  readonly archivedMeta?: unknown;
  readonly archivedData?: unknown;
  readonly archivedAs?: string;
  readonly steps: readonly JobStep[];
}

export interface JobCredentials {
  readonly publicKey: string;
  readonly privateKey: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly users: readonly {
    readonly username: string;
    readonly roles: readonly string[];
    readonly password: string;
  }[];
}

export interface GivenAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly allow: string;
  readonly location: string;
  readonly setCookie: string;
  readonly text: string;
}

/** Upstream prints two decimals. */
const TOLERANCE = 0.006;
/** Never compared: ids, and what clocks and keys decide. */
const NOT_COMPARED = new Set(["id"]);

/** Differences of an answer from the recorded one; none: they agree. */
export function differences(given: GivenAnswer, step: JobStep): string[] {
  const { upstream, ours } = step;
  assert.ok(upstream);
  const status = ours?.status ?? upstream.status;
  const found: string[] = [];
  if (given.status !== status) {
    found.push(`status ${given.status}, recorded ${status}`);
  }
  if (upstream.allow !== undefined && given.status === 405) {
    const words = (text: string) => text.split(", ").sort().join();
    if (words(given.allow) !== words(upstream.allow)) {
      found.push(`Allow ${given.allow}, recorded ${upstream.allow}`);
    }
  }
  if (upstream.status >= 400 || ours?.status !== undefined) return found;
  if (found.length > 0) return found;
  if (kindOf(given.contentType) !== kindOf(upstream.contentType ?? "")) {
    found.push(
      `content type ${given.contentType}, recorded ${upstream.contentType}`,
    );
  }
  if ((upstream.location ?? "") !== given.location) {
    found.push(`Location ${given.location}, recorded ${upstream.location}`);
  }
  const cookies = [given.setCookie, upstream["set-cookie"] ?? ""].map(
    attributes,
  );
  if (cookies[0] !== cookies[1]) {
    found.push(`cookie ${cookies.join(", recorded ")}`);
  }
  if (isJson(upstream.body)) {
    compare(JSON.parse(given.text), JSON.parse(upstream.body), "", found);
  }
  return found;
}

/** The first word of the first of the types upstream sends. */
function kindOf(contentType: string): string {
  return contentType.split(/[;,]/, 1)[0]!.trim();
}

/** Attributes of a cookie, without its value and the moment it ends. */
function attributes(cookie: string): string {
  return cookie.split("; ").map((part) =>
    /^(session|Expires)=/.test(part) ? part.split("=")[0] : part
  ).sort().join("; ");
}

function isJson(text: string): boolean {
  return /^[[{]/.test(text);
}

function compare(
  given: unknown,
  recorded: unknown,
  where: string,
  found: string[],
): void {
  if (found.length > 20) return;
  if (typeof recorded === "number" && typeof given === "number") {
    if (Math.abs(given - recorded) > TOLERANCE) {
      found.push(`${where}: ${given}, recorded ${recorded}`);
    }
  } else if (Array.isArray(recorded) && Array.isArray(given)) {
    if (given.length !== recorded.length) {
      found.push(
        `${where}: ${given.length} items, recorded ${recorded.length}`,
      );
      return;
    }
    const [a, b] = [inOrder(given), inOrder(recorded)];
    b.forEach((item, i) => compare(a[i], item, `${where}[${i}]`, found));
  } else if (isRecord(recorded) && isRecord(given)) {
    compareMembers(given, recorded, where, found);
  } else if (given !== recorded && !/\.(msg|message)$/.test(where)) {
    found.push(
      `${where}: ${JSON.stringify(given)}, recorded ${
        JSON.stringify(recorded)
      }`,
    );
  }
}

function compareMembers(
  given: Record<string, unknown>,
  recorded: Record<string, unknown>,
  where: string,
  found: string[],
): void {
  const running = recorded.jobState === "running";
  for (
    const key of new Set([...Object.keys(given), ...Object.keys(recorded)])
  ) {
    if (NOT_COMPARED.has(key) && typeof recorded[key] === "number") continue;
    if (running && key === "duration") continue;
    if (!(key in given)) found.push(`${where}.${key}: missing`);
    else if (!(key in recorded)) found.push(`${where}.${key}: not recorded`);
    else compare(given[key], recorded[key], `${where}.${key}`, found);
  }
}

/** Lists of jobs, series, users, metrics and tags in one order, whatever they came in. */
function inOrder(items: readonly unknown[]): readonly unknown[] {
  if (!items.every(isRecord)) return items;
  const name = (item: Record<string, unknown>) => {
    const keys = ["jobId", "hostname", "username", "name", "scope", "type"];
    const number = Number(item.id);
    const id = typeof item.id === "string" && Number.isFinite(number)
      ? String(number).padStart(9, "0")
      : typeof item.id === "string"
      ? item.id
      : "";
    return [...keys.map((key) => String(item[key] ?? "")), id].join("\0");
  };
  return [...items].sort((a, b) => name(a) < name(b) ? -1 : 1);
}
