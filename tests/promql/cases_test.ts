/**
 * Cases in the format of Prometheus' test files: our own, and theirs where
 * `PROMQL_TESTDATA` names the folder that holds them.
 */
import assert from "node:assert/strict";
import { runScript } from "../support/promql_runner.ts";
import { ROOT } from "../support/server.ts";

const OWN = [
  "aggregations",
  "extended",
  "functions",
  "operators",
  "selection",
  "windows",
];

for (const name of OWN) {
  Deno.test(`promql: our cases of ${name}`, async () => {
    const text = Deno.readTextFileSync(
      `${ROOT}tests/testdata/promql/${name}.test`,
    );
    const outcome = await runScript(text);
    assert.deepEqual(outcome.failures, []);
    assert.equal(outcome.native, 0);
    assert.ok(outcome.passed > 5);
  });
}

/** Cases of a file of theirs: those that pass, and those that need native histograms. */
interface FileCases {
  readonly passed: number;
  readonly native: number;
  /** Lines of cases that are not compared; see {@linkcode NOT_COMPARED}. */
  readonly notCompared?: number;
}

/**
 * By file, as of Prometheus 3.14. The files of start timestamps are left out as a
 * whole: samples have none here.
 */
const UPSTREAM: Readonly<Record<string, FileCases>> = {
  aggregators: { passed: 126, native: 34 },
  at_modifier: { passed: 78, native: 0 },
  collision: { passed: 2, native: 0 },
  duration_expression: { passed: 59, native: 0 },
  extended_vectors: { passed: 120, native: 49 },
  "fill-modifier": { passed: 46, native: 0 },
  functions: { passed: 323, native: 108 },
  histograms: { passed: 93, native: 92 },
  info: { passed: 52, native: 1 },
  limit: { passed: 0, native: 36, notCompared: 1 },
  literals: { passed: 25, native: 0 },
  name_label_dropping: { passed: 30, native: 0 },
  native_histograms: { passed: 3, native: 519 },
  operators: { passed: 142, native: 72 },
  range_queries: { passed: 16, native: 2 },
  selectors: { passed: 31, native: 0 },
  staleness: { passed: 17, native: 0 },
  subquery: { passed: 32, native: 2 },
  trig_functions: { passed: 19, native: 0 },
  type_and_unit: { passed: 58, native: 0 },
};
const LEFT_OUT = ["start_timestamps"];

/** Cases whose outcome depends on the hash of limit_ratio, which is our own. */
const NOT_COMPARED = /avg\(limit_ratio\(0\.5/;

const folder = Deno.env.get("PROMQL_TESTDATA");

Deno.test({
  name:
    "promql: the test files of Prometheus (set PROMQL_TESTDATA to run them)",
  ignore: folder === undefined,
  async fn(test) {
    const names = [...Deno.readDirSync(folder!)].map(({ name }) => name)
      .filter((name) => name.endsWith(".test"))
      .map((name) => name.slice(0, -".test".length));
    assert.deepEqual(
      names.sort(),
      [...Object.keys(UPSTREAM), ...LEFT_OUT].sort(),
    );
    for (const [name, expected] of Object.entries(UPSTREAM)) {
      await test.step(name, async () => {
        const text = Deno.readTextFileSync(`${folder}/${name}.test`);
        const outcome = await runScript(text);
        const failures = outcome.failures
          .filter((failure) => !NOT_COMPARED.test(failure));
        assert.deepEqual(failures, []);
        assert.deepEqual(
          {
            passed: outcome.passed,
            native: outcome.native,
            notCompared: outcome.failures.length,
          },
          { notCompared: 0, ...expected },
        );
      });
    }
  },
});
