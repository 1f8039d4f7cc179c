/**
 * The parser against the grammar that Prometheus publishes for editors. That one knows
 * no types and no bounds, and refuses a few valid forms, which are left out here.
 */
import assert from "node:assert/strict";
import { parser as editorParser } from "@prometheus-io/lezer-promql";
import fc from "fast-check";
import { PromqlParseError } from "../../src/prometheus/language/parse_error.ts";
import { parseExpr } from "../../src/prometheus/language/parser.ts";
import { fuzzRuns } from "../support/fuzz_runs.ts";
import { vectorText } from "../support/promql_arbitrary.ts";

function isReadByEditor(text: string): boolean {
  let hasError = false;
  editorParser.parse(text).iterate({
    enter(node) {
      hasError ||= node.type.isError;
    },
  });
  return !hasError;
}

/** Why we refuse a text; "" where we read it. */
function refusal(text: string): string {
  try {
    parseExpr(text);
    return "";
  } catch (error) {
    if (error instanceof PromqlParseError) return error.message;
    throw error;
  }
}

Deno.test("promql: valid expressions are valid to the editors' grammar", () => {
  fc.assert(
    fc.property(vectorText({ isOld: false }), (text) => {
      assert.equal(refusal(text), "");
      assert.ok(isReadByEditor(text), text);
    }),
    { numRuns: fuzzRuns(300) },
  );
});

/** Keywords come with what follows them: as names of metrics the editors refuse some. */
const PARTS = [
  ...["x", "y", "rate", "(", ")", "{", "}", "[5m]", "[5m:1m]", "[5m:]", ","],
  ...["==", "!=", "+", "-", "*", "^", "1", "0x1f", "1.5e3", "Inf", "'s'"],
  ...["by (a)", "without (a, b)", "on (a)", "ignoring ()", "group_left (b)"],
  ...["offset 5m", "@ 10", "@ start()", "and", "unless", "atan2", "bool"],
  ...["{a='b'}", "{a=~'b|c',}", "sum(x)", "sum (", "abs(", "topk(1,"],
];

Deno.test("promql: what we read or refuse as unexpected, the editors' grammar does too", () => {
  const text = fc.array(fc.constantFrom(...PARTS), {
    minLength: 1,
    maxLength: 7,
  })
    .map((parts) => parts.join(" "));
  let read = 0;
  fc.assert(
    fc.property(text, (text) => {
      const why = refusal(text);
      if (why === "") {
        read++;
        assert.ok(isReadByEditor(text), `refused by the editor: ${text}`);
        // The editors take it for the name of a metric too, the server does not.
      } else if (/parse error: unexpected (?!<op:atan2>)/.test(why)) {
        assert.ok(!isReadByEditor(text), `read by the editor: ${text}, ${why}`);
      }
    }),
    { numRuns: fuzzRuns(3000) },
  );
  assert.ok(read > 20, `${read} texts were valid`);
});
