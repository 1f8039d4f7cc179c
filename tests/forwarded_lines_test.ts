/**
 * Lines that one shard gets and another owns: whatever their order they are stored
 * where they belong, refused ones keep their numbers in the batch, and shards that
 * fill each other's rings never wait for each other for ever.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_SCOPE } from "../src/metricstore/engine/data_scope.ts";
import { MAX_LINE_ERRORS } from "../src/metricstore/engine/metric_engine.ts";
import { queryOf, startTestEngine, textOf } from "./support/engine.ts";
import { fuzzRuns } from "./support/fuzz_runs.ts";

const SHARDS = 3;
const HOSTS = 13;
const METRICS = 4;
const START_SEC = 1_700_000_000;

type LineKind = "good" | "bad value" | "bad time" | "comment" | "blank";

interface Line {
  readonly kind: LineKind;
  readonly host: number;
  readonly metric: number;
  readonly isCrLf: boolean;
}

const LINE: fc.Arbitrary<Line> = fc.record({
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constant<LineKind>("good") },
    {
      weight: 1,
      arbitrary: fc.constantFrom<LineKind>(
        "bad value",
        "bad time",
        "comment",
        "blank",
      ),
    },
  ),
  host: fc.nat(HOSTS - 1),
  metric: fc.nat(METRICS - 1),
  isCrLf: fc.boolean(),
});

const BATCH = fc.record({
  lines: fc.array(LINE, { minLength: 1, maxLength: 400, size: "max" }),
  chunkBytes: fc.integer({ min: 1, max: 5000 }),
});

function textOfLine(line: Line, run: number, slot: number): string {
  const { kind, host, metric } = line;
  const key = `m${metric},cluster=c${run},hostname=h${host}`;
  const time = START_SEC + 60 * slot;
  const text = {
    "good": `${key} value=${slot}.5 ${time}`,
    "bad value": `${key} value=oops ${time}`,
    "bad time": `${key} value=1 noon`,
    "comment": "# nothing",
    "blank": "",
  }[kind];
  return text + (line.isCrLf ? "\r\n" : "\n");
}

Deno.test("lines of other shards arrive, in any order and through tiny rings, and errors keep their line numbers", async () => {
  const engine = await startTestEngine({
    shards: SHARDS,
    metrics: {
      defaults: Object.fromEntries(
        Array.from({ length: METRICS }, (_, i) => [
          `m${i}`,
          { frequencySec: 60, aggregation: null },
        ]),
      ),
      clusters: {},
    },
    // A frame carries some ten lines.
    forwardRingBytes: 4096,
    maxFutureSec: 1e9,
  });
  let run = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(BATCH, { minLength: 1, maxLength: 6 }),
        async (batches) => {
          run++;
          // Batches of one run write different slots, so their order does not matter.
          const slotOf = (batch: number, line: number) => batch * 400 + line;
          const reports = await Promise.all(batches.map(async (batch, b) => {
            const text = batch.lines.map((line, i) =>
              textOfLine(line, run, slotOf(b, i))
            ).join("");
            const bytes = new TextEncoder().encode(text);
            const open = engine.openBatch({
              scope: DEFAULT_SCOPE,
              defaultCluster: "",
            });
            for (let at = 0; at < bytes.length; at += batch.chunkBytes) {
              await open.push(bytes.slice(at, at + batch.chunkBytes));
            }
            return await open.end();
          }));
          const wanted = new Map<string, number>();
          for (const [b, { lines }] of batches.entries()) {
            const bad = lines.flatMap((line, i) =>
              line.kind.startsWith("bad") ? [i + 1] : []
            );
            const good = lines.filter((line) => line.kind === "good").length;
            const report = reports[b]!;
            assert.equal(report.stored, good);
            assert.deepEqual(
              report.errors.map((error) => error.line),
              bad.slice(0, MAX_LINE_ERRORS),
            );
            for (const error of report.errors) {
              assert.match(error.message, new RegExp(`at line ${error.line}:`));
            }
            for (const [i, line] of lines.entries()) {
              if (line.kind !== "good") continue;
              wanted.set(
                `h${line.host} m${line.metric} ${slotOf(b, i)}`,
                slotOf(b, i) + 0.5,
              );
            }
          }
          assert.deepEqual(
            await storedIn(engine, run),
            new Map([...wanted].sort()),
          );
        },
      ),
      { numRuns: fuzzRuns(25) },
    );
  } finally {
    await engine.close();
  }
});

/** Everything stored of a run's cluster: "host metric slot" → value. */
async function storedIn(
  engine: Awaited<ReturnType<typeof startTestEngine>>,
  run: number,
): Promise<Map<string, number>> {
  const queries = Array.from(
    { length: HOSTS * METRICS },
    (_, i) => ({
      host: `h${Math.floor(i / METRICS)}`,
      metric: `m${i % METRICS}`,
    }),
  );
  const text = await textOf(engine.query(
    DEFAULT_SCOPE,
    queryOf({
      cluster: `c${run}`,
      from: START_SEC,
      to: START_SEC + 60 * 10_000,
      queries: queries.map((query) => ({
        ...query,
        aggreg: false,
        resolution: 0,
      })),
    }),
  ));
  const { results } = JSON.parse(text) as {
    results: { data?: (number | null)[]; from: number }[][];
  };
  const found = new Map<string, number>();
  for (const [q, entries] of results.entries()) {
    for (const { data, from } of entries) {
      for (const [i, value] of (data ?? []).entries()) {
        if (value === null) continue;
        const slot = (from - START_SEC) / 60 + i;
        found.set(`${queries[q]!.host} ${queries[q]!.metric} ${slot}`, value);
      }
    }
  }
  return new Map([...found].sort());
}
