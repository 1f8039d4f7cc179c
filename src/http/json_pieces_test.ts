import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../tests/support/fuzz_runs.ts";
import { ClientError } from "../base/errors.ts";
import { parseJsonInTurns } from "./json_pieces.ts";
import { parseJson } from "./body/json_text.ts";

const ENCODER = new TextEncoder();

/** What a parser makes of a text: the value, or the code of the refusal. */
async function outcomeOf(
  parse: (body: Uint8Array) => unknown,
  text: string,
): Promise<unknown> {
  try {
    return { value: await parse(ENCODER.encode(text)) };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return error.code;
  }
}

async function assertSame(text: string, pieceBytes?: number): Promise<void> {
  assert.deepEqual(
    await outcomeOf((body) => parseJsonInTurns(body, pieceBytes), text),
    await outcomeOf(parseJson, text),
    text,
  );
}

Deno.test("parseJsonInTurns() gives what parseJson() gives, of good and of damaged texts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json(),
        fc.dictionary(fc.string(), fc.jsonValue()).map((value) =>
          JSON.stringify(value, null, 1)
        ),
        fc.array(fc.jsonValue()).map((value) => JSON.stringify(value)),
      ),
      fc.option(fc.tuple(fc.nat(200), fc.constantFrom(...'[]{},:"\\ x0'))),
      fc.constantFrom(1, 7, 1 << 16),
      async (text, damage, pieceBytes) => {
        await assertSame(text, pieceBytes);
        if (damage === null) return;
        const [place, char] = damage;
        const at = place % (text.length + 1);
        await assertSame(text.slice(0, at) + char + text.slice(at), pieceBytes);
        await assertSame(
          text.slice(0, at) + char + text.slice(at + 1),
          pieceBytes,
        );
        await assertSame(text.slice(0, at), pieceBytes);
      },
    ),
    { numRuns: fuzzRuns(500) },
  );
});

Deno.test("parseJsonInTurns() joins the pieces of long lists", async () => {
  const queries = Array.from({ length: 20_000 }, (_, i) => ({
    ...{ metric: 'm"\\,]', host: `h${i}`, "type-ids": [`${i}`, "}"] },
  }));
  await assertSame(JSON.stringify({ cluster: "c", queries, from: 1 }));
  await assertSame(JSON.stringify(queries));
  await assertSame(
    `{"__proto__": [1, 2], "a": 1, "a": [${"1,".repeat(9)}2]} x`,
  );
});

Deno.test("parseJsonInTurns() lets others have turns", async () => {
  const text = JSON.stringify({ nodes: new Array(500_000).fill("n0001") });
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  await parseJsonInTurns(ENCODER.encode(text));
  clearInterval(others);
  assert.ok(turns > 3, `${turns} turns`);
});
