/** The form of CHANGELOG.md: versions, and the kinds of entries in their order. */
import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { ROOT } from "../support/server.ts";

const KINDS = ["CHANGE", "FEATURE", "PERF", "FIX"];
const TEXT = await Deno.readTextFile(`${ROOT}CHANGELOG.md`);

/** Versions with the first lines of their entries. */
const VERSIONS = TEXT.split(/^## /m).slice(1).map((part) => {
  const [name = "", ...lines] = part.split("\n");
  return { name, entries: lines.filter((line) => line.startsWith("- ")) };
});

function kindOf(entry: string): string {
  return /^- \[([A-Z]+)\] /.exec(entry)?.[1] ?? entry;
}

Deno.test("CHANGELOG.md begins with what is unreleased, and has the version of deno.json", () => {
  const names = VERSIONS.map(({ name }) => name);
  assert.equal(names[0], "Unreleased");
  assert.ok(names.includes(project.version), names.join(", "));
});

Deno.test("entries of CHANGELOG.md have a kind, and stand in the order of kinds", () => {
  for (const { name, entries } of VERSIONS) {
    const kinds = entries.map(kindOf);
    assert.deepEqual(
      kinds.filter((kind) => !KINDS.includes(kind)),
      [],
      `${name}: the kinds are ${KINDS.join(", ")}`,
    );
    const inOrder = kinds.toSorted((a, b) =>
      KINDS.indexOf(a) - KINDS.indexOf(b)
    );
    assert.deepEqual(kinds, inOrder, `${name}: ${KINDS.join(" before ")}`);
  }
});

Deno.test("no entry of CHANGELOG.md stands there twice", () => {
  const all = VERSIONS.flatMap(({ entries }) => entries);
  assert.deepEqual(
    all.filter((entry, index) => all.indexOf(entry) !== index),
    [],
  );
});
