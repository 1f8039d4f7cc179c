import assert from "node:assert/strict";
import { cell } from "./download_route.ts";

Deno.test("cell() quotes texts, and guards what a spreadsheet would compute", () => {
  for (
    const [text, written] of [
      ["f0101", "f0101"],
      ["", ""],
      ["a,b", '"a,b"'],
      ['a"b', '"a""b"'],
      ["a\nb", '"a\nb"'],
      ["=1+1", "'=1+1"],
      ["+1", "'+1"],
      ["-1", "'-1"],
      ["@x", "'@x"],
      ["\tx", "'\tx"],
      ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ] as const
  ) assert.equal(cell(text), written);
});
