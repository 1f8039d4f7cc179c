import assert from "node:assert/strict";
import { ClientError } from "../../base/errors.ts";
import { parseJson, shownValue, textsOf } from "./json_text.ts";

const ENCODER = new TextEncoder();

function codeOf(text: string): string | undefined {
  try {
    parseJson(ENCODER.encode(text));
    return undefined;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

Deno.test("parseJson refuses what takes far more memory than bytes", () => {
  const many = (1 << 20) + 1;
  assert.equal(codeOf(`[${"[],".repeat(many)}1]`), "E_TOO_LARGE");
  assert.equal(codeOf(`[${"{},".repeat(many)}1]`), "E_TOO_LARGE");
  assert.equal(
    codeOf(`{"a":{${'"b":1,'.repeat(2 * many)}"c":1}}`),
    "E_TOO_LARGE",
  );
  assert.equal(codeOf(`[${"1,".repeat(many)}1]`), undefined);
});

Deno.test("textsOf stops at the first that is no text", () => {
  assert.deepEqual(textsOf(["a", "b"], () => "nodes"), ["a", "b"]);
  assert.throws(() => textsOf(["a", 1, 2], () => "nodes"), {
    message: "nodes[1]: expected a text, got 1",
  });
  assert.throws(() => textsOf("a", () => "nodes"), /nodes: .*got "a"/);
});

Deno.test("shownValue shows the beginning of a long list or text", () => {
  assert.equal(shownValue(new Array(1e6).fill(1)).length, 60);
  assert.match(shownValue("x".repeat(1e6)), /^"x{59}$/);
});

Deno.test("parseJson takes the first value and leaves what follows", () => {
  const cases: [string, unknown][] = [
    ['{"a":1} trailing', { a: 1 }],
    ['{"a":"}"}{"b":2}', { a: "}" }],
    ["[1,[2]]]", [1, [2]]],
    ['"a\\"b" "c"', 'a"b'],
    ["1 2", 1],
    [" null\n,", null],
    [`${"[".repeat(100)}${"]".repeat(100)}x`, nested(100)],
  ];
  for (const [text, value] of cases) {
    assert.deepEqual(parseJson(ENCODER.encode(text)), value, text);
  }
  for (const text of ['{"a": } {}', "[1 2] 3", "{", '"a', "truefalse"]) {
    assert.equal(codeOf(text), "E_BAD_REQUEST", text);
  }
});

/** A list in a list, and so on. */
function nested(depth: number): unknown[] {
  return depth === 1 ? [] : [nested(depth - 1)];
}
