/**
 * Replays what upstream was recorded answering, one fresh server a scenario,
 * and holds our answers against it. Where we deviate on purpose, the recording
 * says so and a rule here says what must come instead.
 */
import assert from "node:assert/strict";
import { nowSec } from "../src/base/clock.ts";
import { type HttpAnswer, TestClient } from "./support/client.ts";
import {
  compareAnswer,
  compareJson,
  type GoldenScenario,
  type GoldenStep,
  isRecord,
  loadScenario,
  parse,
} from "./support/golden.ts";
import { type MetricEntry, TestServer } from "./support/server.ts";

const GOLDEN = new URL("./testdata/golden/", import.meta.url);
const SCENARIOS = [
  "read-ranges",
  "slots",
  "gaps",
  "levels",
  "alignment",
  "response",
  "lttb",
  "for-all-nodes",
  "write",
  "free-debug",
  "http",
  "healthcheck",
] as const;
const STEPS_TOTAL = 175;

/** What a deviation rule gets to judge with. */
interface Exchange {
  readonly step: GoldenStep;
  readonly scenario: GoldenScenario;
  readonly answer: HttpAnswer;
  /** Sends a further request, for rules that need to look twice. */
  readonly send: (request: GoldenStep["request"]) => Promise<HttpAnswer>;
}

/** Every deliberate deviation, by scenario and step. */
const DEVIATIONS: Readonly<
  Record<string, (exchange: Exchange) => void | Promise<void>>
> = {
  "alignment 2": sameAsAnotherStep,
  "alignment 4": sameAsAnotherStep,
  "free-debug 5": statusOnly,
  "free-debug 6": ({ answer }) => {
    assert.equal(answer.status, 200);
    // The run of socket0 ended before; the one of the host ends at `to` itself.
    assert.equal(answer.text, "buffers freed: 1\n");
  },
  "http 3": ({ answer }) => {
    assert.equal(answer.status, 200, "POST is accepted as well");
    assert.deepEqual(parse(answer.text), { results: [] });
  },
  "levels 27": placeholderForUnknownId,
  "lttb 15": statisticsOfNativePoints,
  "write 15": ({ answer }) => {
    assert.equal(answer.status, 400);
    assert.match(answer.text, /\bline 2\b/, "the error names line 2");
  },
  "write 24": goodLinesOfBadBatch,
};

Deno.test("golden recordings are complete and every deviation has its rule", () => {
  let steps = 0;
  const deviating: string[] = [];
  for (const name of SCENARIOS) {
    const scenario = readScenario(name);
    steps += scenario.steps.length;
    scenario.steps.forEach((step, i) => {
      if (step.ours !== undefined) deviating.push(`${name} ${i}`);
    });
  }
  assert.equal(steps, STEPS_TOTAL);
  assert.deepEqual(deviating.sort(), Object.keys(DEVIATIONS).sort());
});

for (const name of SCENARIOS) {
  Deno.test(`golden ${name} answers as upstream was recorded`, async (t) => {
    await using server = await TestServer.start({ metrics: readMetrics() });
    const client = new TestClient(server.url);
    const scenario = readScenario(name);
    const send = (request: GoldenStep["request"]) =>
      client.send({
        ...request,
        authorization: "authorization" in request
          ? request.authorization
          : undefined,
      });
    try {
      for (const [i, step] of scenario.steps.entries()) {
        const { method, path, body = "" } = step.request;
        await t.step(`${i}: ${method} ${path}`, async () => {
          const answer = await send(step.request);
          try {
            const rule = DEVIATIONS[`${name} ${i}`];
            if (rule !== undefined) {
              await rule({ step, scenario, answer, send });
            } else {
              compareAnswer(answer, step.upstream, path);
              if (name === "for-all-nodes") hostsAscend(answer);
            }
          } catch (cause) {
            throw new Error(
              `${name} step ${i}: ${String(cause)}\n` +
                `  request  ${method} ${path} ${cut(body)}\n` +
                `  upstream ${step.upstream.status} ${
                  cut(step.upstream.body)
                }\n` +
                `  got      ${answer.status} ${cut(answer.text)}`,
              { cause },
            );
          }
        });
      }
    } finally {
      client.close();
    }
  });
}

function readScenario(name: string): GoldenScenario {
  const text = Deno.readTextFileSync(new URL(`${name}.json`, GOLDEN));
  return loadScenario(text, nowSec());
}

function readMetrics(): Record<string, MetricEntry> {
  const text = Deno.readTextFileSync(new URL("metrics.json", GOLDEN));
  return (JSON.parse(text) as { metrics: Record<string, MetricEntry> }).metrics;
}

function sameAsAnotherStep({ step, scenario, answer }: Exchange): void {
  const other = scenario.steps[step.ours?.sameAsStep ?? -1];
  assert.ok(other !== undefined, "the recording names the step to equal");
  compareAnswer(answer, other.upstream, other.request.path);
}

function statusOnly({ step, answer }: Exchange): void {
  assert.equal(answer.status, step.ours?.status);
}

/** Ids without data keep their place, so that clients label the rest rightly. */
function placeholderForUnknownId({ step, answer }: Exchange): void {
  assert.equal(answer.status, 200);
  const want = onlyResult(step.upstream.body);
  const [first, placeholder, last, ...more] = onlyResult(answer.text);
  assert.deepEqual(more, []);
  compareJson([first, last], want, "$.results[0]");
  assert.ok(isRecord(placeholder));
  const { from, ...rest } = placeholder;
  assert.ok(Number.isInteger(from), `from of the placeholder: ${from}`);
  assert.deepEqual(
    rest,
    { to: from, resolution: 60, avg: null, min: null, max: null },
  );
}

/** Resampling picks extremes; statistics must not depend on the zoom (metric-store M21). */
async function statisticsOfNativePoints(exchange: Exchange): Promise<void> {
  const { step, answer, send } = exchange;
  const request = JSON.parse(step.request.body ?? "") as {
    queries: { resolution?: number }[];
  };
  for (const query of request.queries) delete query.resolution;
  const native = onlyResult(
    (await send({ ...step.request, body: JSON.stringify(request) })).text,
  )[0];
  assert.ok(isRecord(native) && Array.isArray(native.data));
  const values = native.data.filter((value) => value !== null) as number[];
  const sum = values.reduce((total, value) => total + value, 0);
  const picked = onlyResult(step.upstream.body)[0];
  assert.ok(isRecord(picked));
  assert.equal(answer.status, 200);
  compareJson(onlyResult(answer.text)[0], {
    ...picked,
    avg: sum / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
  }, "$.results[0][0]");
}

/** Lines 1 and 3 of the batch were good and stay, line 2 left a gap. */
function goodLinesOfBadBatch({ step, answer }: Exchange): void {
  assert.equal(answer.status, 200);
  const upstream = onlyResult(step.upstream.body)[0];
  assert.ok(isRecord(upstream) && typeof upstream.from === "number");
  compareJson(onlyResult(answer.text), [{
    data: [null, 1, null, 3],
    from: upstream.from,
    to: upstream.from + 180,
    resolution: 60,
    avg: 2,
    min: 1,
    max: 3,
  }], "$.results[0]");
}

/** Unlike upstream, hosts come in ascending order. */
function hostsAscend(answer: HttpAnswer): void {
  if (answer.text === "") return;
  const { queries = [] } = parse(answer.text) as {
    queries?: { host: string }[];
  };
  const hosts = queries.map((query) => query.host);
  assert.deepEqual(hosts, hosts.toSorted());
}

function onlyResult(text: string): unknown[] {
  const { results } = parse(text) as { results: unknown[][] };
  assert.equal(results.length, 1);
  return results[0] ?? [];
}

function cut(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text;
}
