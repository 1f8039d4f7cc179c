/** That files which the documents name are there. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { textFiles } from "../support/files.ts";
import { ROOT } from "../support/server.ts";

const ALL = textFiles("");
/** Pages that tell of this repository now; contracts tell of others, too. */
const PAGES = ALL.filter(({ path }) =>
  path.endsWith(".md") && !/^(docs\/contract\/|tests\/|CHANGELOG)/.test(path)
);
const NAMES = new Set(ALL.map(({ path }) => path.split("/").at(-1)!));

/** Texts in backquotes, without what runs over lines. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}

Deno.test("paths of the repository that documents name are there", () => {
  const path = /^(?:src|tests|workers|benches|docs|api)(?:\/[\w.-]+)+\/?$/;
  const lost = PAGES.flatMap((page) =>
    quoted(page.text).filter((text) => path.test(text))
      .filter((text) => !existsSync(ROOT + text))
      .map((text) => `${page.path}: ${text}`)
  );
  assert.deepEqual(lost, []);
});

Deno.test("source files that documents name without a folder are there", () => {
  const lost = PAGES.flatMap((page) =>
    quoted(page.text).filter((text) => /^[a-z0-9_]+\.tsx?$/.test(text))
      // The name of a test in general.
      .filter((name) => name !== "x_test.ts" && !NAMES.has(name))
      .map((name) => `${page.path}: ${name}`)
  );
  assert.deepEqual(lost, []);
});

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): Set<string> {
  const text = ALL.find((file) => file.path === path)?.text ?? "";
  return new Set(
    [...text.replaceAll(/```[^]*?```/g, "").matchAll(/^#+ (.+)$/gm)].map((
      match,
    ) =>
      match[1]!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-")
    ),
  );
}

Deno.test("links to a heading lead to one", () => {
  const lost = PAGES.flatMap((page) =>
    [...page.text.matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)]
      .filter(([, target = "", anchor = ""]) => {
        const path = target === ""
          ? page.path
          : join(dirname(page.path), target);
        return !anchorsOf(path).has(anchor);
      })
      .map((match) => `${page.path}: ${match[0]}`)
  );
  assert.deepEqual(lost, []);
});
