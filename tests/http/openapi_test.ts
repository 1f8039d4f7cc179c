/** The API document against its file and the table of routes. */
import assert from "node:assert/strict";
import { describedRoutes } from "../../src/app/routes/described_routes.ts";
import { rejectionBody } from "../../src/app/routes/write_route.ts";
import { ALL_STORED } from "./fake_engine.ts";
import { Fixture } from "./fixture.ts";

const FILE = new URL("../../api/openapi.json", import.meta.url);

Deno.test("api/openapi.json is what is served; else run: deno task openapi", async () => {
  await using door = await Fixture.start();
  const served = await door.ask("GET", "/api/openapi.json", { role: "user" });
  assert.equal(served.status, 200);
  assert.equal(await Deno.readTextFile(FILE), served.text);
});

Deno.test("api/openapi.json names every documented route, and its references exist", async () => {
  const text = await Deno.readTextFile(FILE);
  const document = JSON.parse(text);
  for (const route of describedRoutes()) {
    if (route.kind !== "metric" && route.undocumented) continue;
    for (const method of Object.keys(route.operations)) {
      assert.ok(
        document
          .paths[route.path.replaceAll(/:(\w+)/g, "{$1}")][
            method.toLowerCase()
          ],
        route.path,
      );
    }
  }
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(document.components.schemas[name!], name);
  }
  const ids = [...text.matchAll(/"operationId": "([^"]+)"/g)].map((match) =>
    match[1]
  );
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("api/openapi.json describes the counts in the answer to refused lines", async () => {
  const { paths, components } = JSON.parse(await Deno.readTextFile(FILE));
  const { responses } = paths["/api/write"].post;
  for (const status of [400, 403, 429]) {
    assert.deepEqual(responses[status].content["application/json"].schema, {
      $ref: "#/components/schemas/RefusedWrite",
    });
  }
  const described = Object.keys(components.schemas.RefusedWrite.properties);
  const sent = rejectionBody(400, { ...ALL_STORED, rejected: { syntax: 1 } });
  assert.deepEqual(described, Object.keys(JSON.parse(sent)));
});
