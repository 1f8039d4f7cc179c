/**
 * The recorded exchanges with the upstream server and the rules for comparing
 * our answers with them, as `testdata/golden/README.md` states them. Pure:
 * what is sent and received happens elsewhere.
 */
import assert from "node:assert/strict";
import type { HttpAnswer } from "./client.ts";

export interface GoldenStep {
  readonly note?: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly authorization?: string | null;
  };
  readonly upstream: { readonly status: number; readonly body: string };
  /** Present where we answer something else on purpose. */
  readonly ours?: {
    readonly status?: number;
    readonly sameAsStep?: number;
    readonly placeholder?: string;
    readonly stats?: string;
    readonly note?: string;
  };
}

export interface GoldenScenario {
  readonly name: string;
  readonly anchor: "hour" | "now";
  readonly steps: readonly GoldenStep[];
}

/** The moment around which all recorded times are written. */
const RECORDED_SEC = 1_800_000_000;
/** Upstream prints three decimals of data and two of statistics; plus float noise. */
const DATA_TOLERANCE = 0.0005 + 1e-9;
const STATS_TOLERANCE = 0.005 + 1e-9;

/** A scenario with all its times moved to around `nowSec`. */
export function loadScenario(text: string, nowSec: number): GoldenScenario {
  const { anchor } = JSON.parse(text) as GoldenScenario;
  return JSON.parse(shiftTimes(text, anchor, nowSec)) as GoldenScenario;
}

/** Moves recorded times: `hour` to two hours before the last full one, `now` to now. */
export function shiftTimes(
  text: string,
  anchor: "hour" | "now",
  nowSec: number,
): string {
  const baseSec = anchor === "now"
    ? nowSec
    : Math.floor(nowSec / 3600) * 3600 - 2 * 3600;
  return text.replace(
    // The recorded text is JSON: a time may follow the `n` of an escaped newline.
    /(?<![0-9])1(79|80)\d{7}(?![0-9])/g,
    (time) => String(Number(time) - RECORDED_SEC + baseSec),
  );
}

/** Compares an answer with the recorded one where no deviation is noted. */
export function compareAnswer(
  answer: HttpAnswer,
  upstream: GoldenStep["upstream"],
  path: string,
): void {
  assert.equal(answer.status, upstream.status, "status");
  // Of refusals only the status counts: upstream mixes text and JSON there.
  if (upstream.status >= 400) return;
  if (!upstream.body.startsWith("{")) {
    assert.equal(answer.text, upstream.body, "body");
    return;
  }
  assert.match(answer.headers["content-type"] ?? "", /^application\/json\b/);
  const got: unknown = parse(answer.text);
  if (path.startsWith("/api/debug")) {
    // Upstream leaves a comma after each last member.
    const valid = upstream.body.replace(/,(\s*[}\]])/g, "$1");
    compareDebug(got, parse(valid), "debug");
    return;
  }
  compareJson(sortForAllNodes(got), sortForAllNodes(parse(upstream.body)), "$");
}

/** Parses JSON; a failure shows the text. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`not JSON: ${text.slice(0, 500)}`, { cause });
  }
}

/** By value: key order does not matter, which keys there are does. */
export function compareJson(got: unknown, want: unknown, where: string): void {
  if (typeof want === "number" && typeof got === "number") {
    const tolerance = toleranceAt(where);
    assert.ok(
      Math.abs(got - want) <= tolerance,
      `${where}: got ${got}, want ${want} within ${tolerance}`,
    );
  } else if (Array.isArray(want)) {
    assert.ok(Array.isArray(got), `${where}: not an array: ${show(got)}`);
    assert.equal(got.length, want.length, `${where}: length of ${show(got)}`);
    want.forEach((item, i) => compareJson(got[i], item, `${where}[${i}]`));
  } else if (isRecord(want)) {
    assert.ok(isRecord(got), `${where}: not an object: ${show(got)}`);
    assert.deepEqual(
      Object.keys(got).sort(),
      Object.keys(want).sort(),
      `${where}: keys of ${show(got)}`,
    );
    for (const key of Object.keys(want)) {
      compareJson(got[key], want[key], `${where}.${key}`);
    }
  } else {
    assert.equal(got, want, where);
  }
}

function toleranceAt(where: string): number {
  if (/\.data\[\d+\]$/.test(where)) return DATA_TOLERANCE;
  return /\.(avg|min|max)$/.test(where) ? STATS_TOLERANCE : 0;
}

/** The same tree with the same metrics; blocks may be cut differently. */
function compareDebug(got: unknown, want: unknown, where: string): void {
  if (Array.isArray(want)) {
    assert.ok(Array.isArray(got) && got.length > 0, `${where}: no blocks`);
    for (const block of got) {
      assert.ok(isRecord(block), `${where}: ${show(block)}`);
      for (const key of ["start", "len", "end"]) {
        assert.ok(Number.isInteger(block[key]), `${where}.${key}`);
      }
    }
    return;
  }
  assert.ok(isRecord(want) && isRecord(got), `${where}: ${show(got)}`);
  assert.deepEqual(
    Object.keys(got).sort(),
    Object.keys(want).sort(),
    `${where}: members`,
  );
  for (const key of Object.keys(want)) {
    compareDebug(got[key], want[key], `${where}.${key}`);
  }
}

/** Upstream gives the hosts in random order; both sides are put in one order. */
function sortForAllNodes(answer: unknown): unknown {
  if (
    !isRecord(answer) || !Array.isArray(answer.queries) ||
    !Array.isArray(answer.results)
  ) return answer;
  const results: readonly unknown[] = answer.results;
  const pairs = answer.queries.map((query: unknown, i) => {
    assert.ok(isRecord(query), `queries[${i}]`);
    return { name: `${query.host}\0${query.metric}`, query, at: i };
  });
  pairs.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return {
    ...answer,
    queries: pairs.map((pair) => pair.query),
    results: [
      ...pairs.map((pair) => results[pair.at]),
      ...results.slice(pairs.length),
    ],
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 300);
}
