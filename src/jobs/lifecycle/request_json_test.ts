import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { ClientError } from "../../base/errors.ts";
import {
  decodeRequest,
  int32,
  int64,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  text,
} from "./request_json.ts";

const schema = object({
  id: int64,
  small: int32.optional(),
  size: number.optional(),
  name: text.optional(),
  kind: oneOf(["a", "b"]).optional(),
  words: mapOf(text).optional(),
  parts: listOf(object({ host: text, threads: listOf(int32).optional() }))
    .optional(),
});

function assertTaken(body: string, want: unknown): void {
  assert.deepEqual(decodeRequest(schema, body), want, body);
}

function assertRefused(body: string | Uint8Array, ...words: string[]): void {
  assert.throws(() => decodeRequest(schema, body), (error) => {
    assert.ok(error instanceof ClientError, String(error));
    assert.equal(error.code, "E_BAD_REQUEST");
    for (const word of words) {
      assert.ok(error.message.includes(word), `${error.message} of ${body}`);
    }
    return true;
  });
}

Deno.test("decodeRequest reads the first value and ignores what follows", () => {
  assertTaken('{"id":1}', { id: 1 });
  assertTaken(' \r\n\t{"id":1}garbage', { id: 1 });
  assertTaken('{"id":1}{"id":2}', { id: 1 });
  assertTaken('{"id":1}]', { id: 1 });
  assertTaken('{"id":1,"name":"}\\"]"} x', { id: 1, name: '}"]' });
  assert.deepEqual(decodeRequest(listOf(text), '["a"] 1'), ["a"]);
  assert.equal(decodeRequest(text, '"a"b'), "a");
  assert.equal(decodeRequest(int64, "12 13"), 12);
  assert.equal(decodeRequest(listOf(text).optional(), "null"), undefined);
});

Deno.test("decodeRequest refuses what is no JSON", () => {
  assertRefused("", "empty");
  assertRefused(" \n", "empty");
  assertRefused("{", "not JSON");
  assertRefused('{"id":1', "not JSON");
  assertRefused('{"id":1,}', "not JSON");
  assertRefused('{"name":"', "not JSON");
  assertRefused("]", "not JSON");
  assertRefused("nul", "not JSON");
  assertRefused('{"id":01}', "not JSON");
  assertRefused('{"name":"a\nb"}', "not JSON");
  assertRefused(Uint8Array.of(0xff, 0xfe), "not JSON");
});

Deno.test("decodeRequest refuses deep nesting instead of running out of stack", () => {
  const depth = 1_000_000;
  assertRefused("[".repeat(depth) + "]".repeat(depth), "deeper than 64");
  assertRefused('{"a":'.repeat(depth), "deeper than 64");
});

Deno.test("decodeRequest takes null for a key as no key", () => {
  assertTaken('{"id":1,"small":null,"words":null,"parts":null}', { id: 1 });
  assertTaken('{"id":1,"words":{"a":null,"b":"c"}}', {
    id: 1,
    words: { b: "c" },
  });
  assertRefused('{"id":null}', "id", "integer", "nothing");
  assertRefused("null", "the body", "object", "null");
});

Deno.test("decodeRequest refuses null in a list", () => {
  assertRefused('{"id":1,"parts":[null]}', "parts[0]", "object", "null");
  assertRefused('{"id":1,"parts":[{"host":"h","threads":[1,null]}]}', "[1]");
});

Deno.test("decodeRequest names unknown keys wherever they are", () => {
  assertRefused('{"id":1,"bogus":1}', "unknown key bogus");
  assertRefused('{"id":1,"ID":1}', "unknown key ID");
  assertRefused(
    '{"id":1,"parts":[{"host":"h"},{"host":"h","x":0}]}',
    "unknown key parts[1].x",
  );
});

Deno.test("decodeRequest takes integers that are written as integers", () => {
  assertTaken('{"id":9007199254740991,"small":-2147483648}', {
    id: 9007199254740991,
    small: -2147483648,
  });
  const zero = decodeRequest(schema, '{"id":-0}').id;
  assert.ok(Object.is(zero, 0));
  assertRefused('{"id":1.0}', "id: ", "integer", "got 1.0");
  assertRefused('{"id":1e3}', "got 1e3");
  assertRefused('{"id":1.5}', "got 1.5");
  assertRefused('{"id":"1"}', 'got "1"');
  assertRefused('{"id":true}', "got true");
  assertRefused('{"id":9007199254740992}', "2^53", "got 9007199254740992");
  assertRefused(
    '{"id":1,"small":2147483648}',
    "small",
    "32 bits",
    "2147483648",
  );
  assertRefused('{"id":1,"small":-2147483649}', "small", "-2147483649");
});

Deno.test("decodeRequest takes any finite number where a number is asked for", () => {
  assertTaken('{"id":1,"size":1e3}', { id: 1, size: 1000 });
  assertTaken('{"id":1,"size":0.5}', { id: 1, size: 0.5 });
  assertTaken('{"id":1,"size":36893488147419103232}', { id: 1, size: 2 ** 65 });
  assertRefused('{"id":1,"size":1e999}', "size", "number", "out of range");
  assertRefused('{"id":1,"size":"1"}', "size", "number", '"1"');
});

Deno.test("decodeRequest names field, value and what was expected", () => {
  assertRefused('{"id":1,"name":5}', "name: expected a text, got 5");
  assertRefused('{"id":1,"kind":"c"}', 'kind: expected one of a, b, got "c"');
  assertRefused('{"id":1,"words":[]}', "words: expected an object, got []");
  assertRefused('{"id":1,"words":{"k":1}}', "words.k: expected a text, got 1");
  assertRefused('{"id":1,"parts":{}}', "parts: expected a list, got {}");
  assertRefused("[]", "the body: expected an object, got []");
});

Deno.test("decodeRequest shows only the beginning of a long value", () => {
  const body = JSON.stringify({ id: "x".repeat(10_000) });
  assert.throws(
    () => decodeRequest(schema, body),
    (error) => error instanceof ClientError && error.message.length < 200,
  );
});

Deno.test("decodeRequest makes texts well-formed", () => {
  assertTaken('{"id":1,"name":"a\\ud800b"}', { id: 1, name: "a\ufffdb" });
});

Deno.test("decodeRequest never lets a body reach the prototypes", () => {
  const taken = decodeRequest(
    schema,
    '{"id":1,"words":{"__proto__":"x","constructor":"y"}}',
  );
  assert.equal(Object.getPrototypeOf(taken.words), Object.prototype);
  assert.equal(taken.words?.["constructor"], "y");
  assert.ok(!("x" in {}));
});

Deno.test("decodeRequest answers any text with a value or with E_BAD_REQUEST", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.tuple(fc.json(), fc.string()).map(([json, rest]) => json + rest),
  );
  fc.assert(
    fc.property(anything, (body) => {
      try {
        decodeRequest(schema, body);
      } catch (error) {
        assert.ok(error instanceof ClientError, String(error));
        assert.equal(error.code, "E_BAD_REQUEST");
      }
    }),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("decodeRequest takes the same value whatever follows it", () => {
  const value = fc.record({
    id: fc.maxSafeInteger(),
    small: fc.integer(),
    size: fc.double({ noNaN: true, noDefaultInfinity: true })
      .map((one) => one + 0),
    name: fc.string({ unit: "grapheme" }),
    words: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string()),
  }, { requiredKeys: ["id"] });
  fc.assert(
    fc.property(value, fc.string({ unit: "binary" }), (want, rest) => {
      assertTaken(
        JSON.stringify(want) + rest,
        JSON.parse(JSON.stringify(want)),
      );
    }),
    { numRuns: fuzzRuns(300) },
  );
});
