import assert from "node:assert/strict";
import { describeConfig, type KeyDoc } from "./describe.ts";
import { DOCUMENT, documentConfig } from "./document.ts";

Deno.test("documentConfig() equals docs/configuration.md (deno task docs writes it)", () => {
  assert.equal(Deno.readTextFileSync(DOCUMENT), documentConfig());
});

Deno.test("describeConfig() has an expectation and a description for every key", () => {
  const visit = (place: KeyDoc, path: string) => {
    assert.notEqual(place.expected, "", `${path} expects`);
    for (const [key, value] of place.keys) {
      assert.notEqual(value.description, "", `${path}.${key} is described`);
      visit(value, `${path}.${key}`);
    }
    if (place.members !== undefined) visit(place.members, `${path}.*`);
  };
  for (const [name, section] of describeConfig().keys) visit(section, name);
});
