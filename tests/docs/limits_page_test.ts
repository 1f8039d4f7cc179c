/** That docs/limits.md names keys that are there, with the defaults of the schema. */
import assert from "node:assert/strict";
import { describeKey } from "../../src/config/settings/describe.ts";
import { ROOT } from "../support/server.ts";

const PAGE = await Deno.readTextFile(`${ROOT}docs/limits.md`);

/** Rows of its tables that name a key: the value, and the key. */
function keyedRows(): readonly { value: string; key: string }[] {
  return PAGE.split("\n").filter((line) => line.startsWith("| ")).flatMap(
    (line) => {
      const [, , value = "", , key = ""] = line.split("|")
        .map((cell) => cell.trim());
      const name = /^`(.*)`$/.exec(key)?.[1];
      return name === undefined ? [] : [{ value, key: name }];
    },
  );
}

Deno.test("the keys that docs/limits.md names are in the schema", () => {
  const rows = keyedRows();
  assert.ok(rows.length > 10, "the page has lost its keys");
  const lost = rows.filter(({ key }) =>
    describeKey(key.split(".")) === undefined
  );
  assert.deepEqual(lost, []);
});

Deno.test("the values that docs/limits.md gives for keys are the defaults", () => {
  for (const { value, key } of keyedRows()) {
    const preset = describeKey(key.split("."))?.defaultValue;
    if (preset === undefined) {
      assert.equal(value, "as configured", key);
      continue;
    }
    const [shown = ""] = /`[^`]*`/.exec(value) ?? [];
    assert.equal(shown, `\`${JSON.stringify(preset)}\``, key);
  }
});
