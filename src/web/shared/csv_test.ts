import assert from "node:assert/strict";
import { csvRow, fileName } from "./csv.ts";

Deno.test("cells are data, whatever they begin with", () => {
  assert.equal(
    csvRow(["=1+1", "@x", "-3", 'a"b', "a,b", 0.1, NaN, undefined]),
    `'=1+1,'@x,'-3,"a""b","a,b",0.1,,\r\n`,
  );
});

Deno.test("names of files are plain ASCII", () => {
  assert.equal(fileName("../../etc/passwd\u202e"), "etc_passwd_");
  assert.equal(fileName("⟨⟩"), "data");
});
