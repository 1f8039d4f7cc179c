import assert from "node:assert/strict";
import fc from "fast-check";
import { ClientError } from "../../base/errors.ts";
import { checkQueryRequest, queryRequestSchema } from "./query_request.ts";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";

const RUNS = 2000;

/** Mostly right, often null or absent, now and then wrong. */
function field(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: right },
    { weight: 3, arbitrary: fc.constantFrom(null, undefined) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        fc.string(),
        fc.double(),
        fc.integer(),
        fc.boolean(),
        fc.constant({}),
        fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), {
          maxLength: 2,
        }),
        fc.constantFrom(Infinity, NaN, 2 ** 53, -0, 1.5),
      ),
    },
  );
}

const names = field(fc.array(field(fc.string()), { maxLength: 3 }));

const query = field(fc.record({
  metric: field(fc.string()),
  host: field(fc.string()),
  type: field(fc.string()),
  "type-ids": names,
  subtype: field(fc.string()),
  "subtype-ids": names,
  aggreg: field(fc.boolean()),
  resolution: field(fc.maxSafeInteger()),
  "scale-by": field(fc.double({ noNaN: true, noDefaultInfinity: true })),
}, { requiredKeys: [] }));

const request = fc.record({
  cluster: field(fc.string()),
  from: field(fc.maxSafeInteger()),
  to: field(fc.maxSafeInteger()),
  queries: field(fc.array(query, { maxLength: 3 })),
  "for-all-nodes": names,
  "with-stats": field(fc.boolean()),
  "with-data": field(fc.boolean()),
  "with-padding": field(fc.boolean()),
  missing: field(fc.constantFrom("null", "skip")),
  unknown: fc.anything(),
}, { requiredKeys: [] });

Deno.test("checkQueryRequest() accepts exactly what the schema accepts", () => {
  let accepted = 0;
  fc.assert(
    fc.property(request, (value) => {
      const schema = queryRequestSchema.safeParse(value);
      let error: unknown;
      try {
        checkQueryRequest(value);
      } catch (thrown) {
        error = thrown;
      }
      assert.equal(error === undefined, schema.success, String(error));
      if (error === undefined) accepted++;
      else assert.ok(error instanceof ClientError);
    }),
    { numRuns: fuzzRuns(RUNS) },
  );
  assert.ok(accepted > RUNS / 20, "the generator must reach good requests");
});

Deno.test("checkQueryRequest() keeps what was given and fills in the defaults", () => {
  fc.assert(
    fc.property(request, (value) => {
      const schema = queryRequestSchema.safeParse(value);
      if (!schema.success) return;
      const given = schema.data;
      const got = checkQueryRequest(value);
      assert.deepEqual(got, {
        cluster: given.cluster ?? "",
        from: given.from ?? 0,
        to: given.to ?? 0,
        queries: (given.queries ?? []).map((query) => ({
          metric: query.metric ?? "",
          host: query.host ?? "",
          type: query.type ?? undefined,
          "type-ids": query["type-ids"] ?? undefined,
          subtype: query.subtype ?? undefined,
          "subtype-ids": query["subtype-ids"] ?? undefined,
          aggreg: query.aggreg ?? false,
          resolution: query.resolution ?? 0,
          "scale-by": query["scale-by"] ?? undefined,
        })),
        forAllNodes: given["for-all-nodes"] ?? undefined,
        withStats: given["with-stats"] ?? true,
        withData: given["with-data"] ?? true,
        withPadding: given["with-padding"] ?? true,
        missing: given.missing ?? "null",
      });
    }),
    { numRuns: fuzzRuns(RUNS) },
  );
});
