import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { NodesExpression } from "./nodes_expression.ts";

function matches(expression: string, name: string): boolean {
  return new NodesExpression(expression).matches(name);
}

Deno.test("NodesExpression.matches() agrees with the contract's vectors", () => {
  for (
    const [expression, inside, outside] of [
      ["a[01-10],b7", ["a01", "a10", "b7"], ["a1", "a11", "b77", "a010"]],
      ["cn-00[13-18,22-24]", ["cn-0013", "cn-0022"], ["cn-0019", "cn-13"]],
      ["n[1-3]x", ["n2x"], ["n2", "n02x"]],
      ["[01-10]", ["05"], ["5", "005"]],
      ["[1-9]", ["1", "9"], ["0", "01"]],
      ["a[05]", ["a05"], ["a5", "a005", "a04"]],
      ["a[0101-0105,0110]", ["a0105", "a0110"], ["a0106"]],
      ["a[9-1]", [], ["a9", "a1", "a5"]],
      ["a1,", ["a1"], ["", "a1,"]],
      ["", [], ["", "a"]],
      ["n[1-9,10-12]", ["n1", "n10", "n12"], ["n13", "n0"]],
      ["r[1-2]n[01-03]", ["r1n03", "r2n01"], ["r3n01", "r1n04"]],
      ["F[1-2]", ["F1"], ["f1"]],
    ] as const
  ) {
    for (const name of inside) assert.ok(matches(expression, name), name);
    for (const name of outside) assert.ok(!matches(expression, name), name);
  }
});

Deno.test("NodesExpression() says what is wrong with an expression", () => {
  for (
    const [expression, message] of [
      ["a[01-9]", /"01-9" in brackets has ends of different widths/],
      ["a[01", /"\[" at character 2 is never closed/],
      ["a b", /" " at character 2 is not allowed/],
      ["a_1", /"_" at character 2/],
      ["-a", /"-" at character 1/],
      ["a[1-2]-b", /"-" at character 7/],
      ["a[]", /"" in brackets is not a number/],
      ["a[1-2-3]", /"1-2-3" in brackets/],
      ["a[1,]", /"" in brackets/],
      ["a[x-y]", /"x-y" in brackets/],
      ["a]", /"\]" at character 2/],
      ["ä1", /"ä" at character 1/],
      ["a[1-٢]", /"1-٢" in brackets/],
    ] as const
  ) {
    assert.throws(() => new NodesExpression(expression), {
      name: "SyntaxError",
      message,
    });
  }
});

/** A part of a term with its text and every name it stands for. */
interface NaivePart {
  readonly text: string;
  readonly names: readonly string[];
}

const word = fc.stringMatching(/^[a-c][a-c0-2-]{0,2}$/)
  .map((text): NaivePart => ({ text, names: [text] }));

const ranges = fc.array(
  fc.record({
    width: fc.integer({ min: 1, max: 2 }),
    first: fc.nat({ max: 12 }),
    size: fc.integer({ min: -1, max: 6 }),
    single: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
).map((list): NaivePart => {
  const texts: string[] = [];
  const names: string[] = [];
  for (const { width, first, size, single } of list) {
    const highest = 10 ** width - 1;
    const from = Math.min(first, highest);
    const to = single ? from : Math.max(0, Math.min(from + size, highest));
    const shown = (number: number) => String(number).padStart(width, "0");
    texts.push(single ? shown(from) : `${shown(from)}-${shown(to)}`);
    for (let i = from; i <= to; i++) names.push(shown(i));
  }
  return { text: `[${texts.join(",")}]`, names };
});

/** Words do not follow each other: they would be read as one. */
const term = fc.array(fc.tuple(word, ranges), { minLength: 1, maxLength: 2 })
  .chain((pairs) =>
    fc.constantFrom(pairs.flat(), pairs.flat().slice(1)).map((parts) => parts)
  );

Deno.test("NodesExpression.matches() accepts the names of a naive expansion and no others", () => {
  fc.assert(
    fc.property(
      fc.array(term, { maxLength: 3 }),
      fc.array(fc.stringMatching(/^[a-c0-2-]{0,5}$/), { maxLength: 20 }),
      (terms, others) => {
        const text = terms.map((parts) =>
          parts.map((part) => part.text).join("")
        ).join(",");
        const names = new Set(
          terms.flatMap((parts) =>
            parts.reduce<string[]>(
              (heads, part) =>
                heads.flatMap((head) => part.names.map((tail) => head + tail)),
              [""],
            )
          ),
        );
        const expression = new NodesExpression(text);
        for (const name of names) assert.ok(expression.matches(name), name);
        // Near misses: a digit more, one less, and names made up.
        const near = [...names].slice(0, 20).flatMap((name) => [
          name + "0",
          name.slice(1),
          name.slice(0, -1),
          name.replace(/[0-9]/, "9"),
        ]);
        for (const name of [...near, ...others]) {
          assert.equal(expression.matches(name), names.has(name), name);
        }
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});
