/** Sentences of documents have a subject: none begins with Who, What, Of or False. */
import assert from "node:assert/strict";
import { textFiles } from "../support/files.ts";

/** Pages that still have some; the numbers only fall. */
const STILL: Readonly<Record<string, number>> = { "docs/SECURITY.md": 12 };

const PAGES = textFiles("").filter(({ path }) =>
  path.endsWith(".md") && !/^(docs\/contract\/|tests\/)/.test(path)
);
/** Headings of tables may be such a word. */
const RIDDLE =
  /(?<=[.!?:] |\n- |\n\n|\d\. )(?:Who|What|Whoever|Whatever|Of|False)\b[^.|\n]*/g;

/** Paragraphs as one line each, without blocks of code. */
function prose(text: string): string {
  return text.replaceAll(/```[^]*?```/g, "")
    .replaceAll(/\n(?![\n|#-]|\d+\. ) */g, " ");
}

Deno.test("sentences of documents begin with a subject", () => {
  for (const { path, text } of PAGES) {
    const found = prose(text).match(RIDDLE) ?? [];
    assert.ok(
      found.length <= (STILL[path] ?? 0),
      [`${path} has ${found.length}:`, ...found].join("\n"),
    );
  }
});
