/**
 * Requests made of the API document, right and nearly right, against the admin API:
 * it never fails, answers only as documented, and keeps what it said.
 */
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import fc from "fast-check";
import { fuzzRuns } from "../support/fuzz_runs.ts";
import {
  fitting,
  type JsonSchema,
  nearly,
  type SchemaOptions,
} from "../support/schema_arbitrary.ts";
import { type AdminAnswer, AdminServer } from "./admin_server.ts";

interface DocumentedContent {
  readonly content?: { readonly "application/json": { schema: JsonSchema } };
}

interface DocumentedOperation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
  }[];
  readonly requestBody?: DocumentedContent;
  readonly responses: Readonly<Record<string, DocumentedContent>>;
}

const DOCUMENT: {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, DocumentedOperation>>>
  >;
  readonly components: { readonly schemas: Record<string, JsonSchema> };
} = JSON.parse(
  await Deno.readTextFile(new URL("../../api/openapi.json", import.meta.url)),
);

/** Few, so that requests meet what others made. */
const NAMES = ["aaa", "bbb", "ccc", "__admin__", "root"];

const SCHEMA_OPTIONS: SchemaOptions = {
  components: DOCUMENT.components.schemas,
  preferred: {
    name: [...NAMES, "hostname", "metric"],
    cluster: ["emmy", "woody", "*"],
    instance: ["*", "", "aaa"],
    access_policy: ["aaa", "bbb", "__admin__"],
    value: ["a.*", "[0-9]+", "("],
  },
};

interface Request {
  readonly method: string;
  readonly path: string;
  readonly operation: DocumentedOperation;
  readonly search: string;
  readonly ifMatch: string | undefined;
  readonly body: string | undefined;
}

function requests(): fc.Arbitrary<Request> {
  const operations = Object.entries(DOCUMENT.paths)
    .filter(([path]) => path.startsWith("/admin/"))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) =>
        requestTo(path, method.toUpperCase(), operation)
      )
    );
  assert.ok(operations.length >= 19, "the document has the admin API");
  return fc.oneof(...operations);
}

function requestTo(
  path: string,
  method: string,
  operation: DocumentedOperation,
): fc.Arbitrary<Request> {
  const schema = operation.requestBody?.content?.["application/json"].schema;
  const switches = operation.parameters?.filter((one) => one.in === "query") ??
    [];
  return fc.record({
    name: fc.oneof(
      { arbitrary: fc.constantFrom(...NAMES, "emmy"), weight: 5 },
      { arbitrary: fc.string({ minLength: 1, unit: "binary" }), weight: 1 },
    ).filter((name) => name.isWellFormed() && !/^\.{1,2}$/.test(name)),
    search: fc.subarray(
      switches.flatMap(({ name }) => [`${name}=true`, `${name}=x`]),
    ).map((words) => words.join("&")),
    ifMatch: fc.option(
      fc.constantFrom('"1"', "1", '"2"', "*", "x", 'W/"1"'),
      { nil: undefined, freq: 3 },
    ),
    body: bodies(schema),
  }).map(({ name, ...rest }) => ({
    ...rest,
    method,
    operation,
    path: path.replace("{name}", encodeURIComponent(name)),
  }));
}

function bodies(
  schema: JsonSchema | undefined,
): fc.Arbitrary<string | undefined> {
  if (schema === undefined) return fc.constant(undefined);
  const good = fitting(schema, SCHEMA_OPTIONS);
  return fc.oneof(
    { arbitrary: good.map((value) => JSON.stringify(value)), weight: 6 },
    {
      arbitrary: nearly(good).map((value) => JSON.stringify(value)),
      weight: 3,
    },
    { arbitrary: fc.string(), weight: 1 },
  );
}

const ajv = new Ajv2020({
  strict: false,
  formats: {
    "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/,
  },
  schemas: [{ $id: "doc", components: DOCUMENT.components }],
});
const validators = new Map<JsonSchema, ValidateFunction>();

/** Of the document's schemas, whose references are relative to it. */
function validatorOf(schema: JsonSchema): ValidateFunction {
  let known = validators.get(schema);
  if (known === undefined) {
    const $ref = `doc${schema.$ref}`;
    validators.set(schema, known = ajv.compile({ $ref }));
  }
  return known;
}

function checkAnswer(request: Request, answer: AdminAnswer): void {
  const { method, path, search, body } = request;
  const what =
    `${method} ${path}?${search} ${body}: ${answer.status} ${answer.text}`;
  assert.ok(answer.status < 500, what);
  const documented = request.operation.responses[String(answer.status)];
  assert.ok(documented !== undefined, what);
  const schema = documented.content?.["application/json"].schema;
  if (schema === undefined) {
    assert.equal(answer.text, "", what);
    return;
  }
  assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
  const validate = validatorOf(schema);
  const fits: boolean = validate(answer.json);
  assert.ok(fits, what + JSON.stringify(validate.errors));
  if (answer.status >= 400) {
    assert.deepEqual(Object.keys(answer.json), ["status", "error"], what);
    assert.equal(answer.json.status, "error");
  }
}

Deno.test("the admin API answers any request as its document says", async () => {
  await using server = await AdminServer.start();
  await server.make("accesspolicies", {
    name: "bbb",
    realms: [{ instance: "", cluster: "*" }],
    scopes: ["metrics:read"],
  });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(requests(), async (request) => {
      const { method, path, search, ifMatch, body } = request;
      // The credential of the test itself must stay.
      if (method === "DELETE" && path.endsWith("/root")) return;
      const answer = await server.ask(
        method,
        `${path.slice("/admin/api/v1".length)}?${search}`,
        {
          body,
          headers: ifMatch === undefined ? {} : { "If-Match": ifMatch },
        },
      );
      seen.add(String(answer.status));
      checkAnswer(request, answer);
      if (answer.status === 201) {
        const read = await server.ask(
          "GET",
          answer.headers["location"]!.slice("/admin/api/v1".length),
        );
        const { token: _, ...shown } = answer.json;
        assert.deepEqual(read.json, shown);
      }
    }),
    { numRuns: fuzzRuns(1500) },
  );
  // It got somewhere: nearly every documented status was met.
  for (
    const status of ["200", "201", "204", "400", "403", "404", "409", "412"]
  ) {
    assert.ok(seen.has(status), `no request was answered ${status}`);
  }
  assert.deepEqual(
    server.log.filter((line) => line.startsWith("err")),
    [],
  );
});
