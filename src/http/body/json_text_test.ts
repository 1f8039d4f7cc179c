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
