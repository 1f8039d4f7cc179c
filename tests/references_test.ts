/**
 * References of code, tests and documents to the contracts: each names its page
 * (`metric-store 4.2`, `job-api O16`, `settled 41`) and leads to a section, a row
 * or a point that is there.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { type TextFile, textFiles } from "./support/files.ts";
import { ROOT } from "./support/server.ts";

const PAGES = [
  "metric-store",
  "job-api",
  "admin-api",
  "prometheus-api",
  "web",
  "settled",
] as const;

const ALL = textFiles("");
const CITING = ALL.filter((file) =>
  /\.(ts|tsx|md)$/.test(file.path) &&
  !/^(docs\/contract\/|CHANGELOG)/.test(file.path)
);

/** A number of a section, or of a row such as job-api O16. */
const NUMBER = String.raw`[MOVRBJW]?\d+(?:\.\d+)*`;
const LIST = `${NUMBER}(?:(?:, | and | to )${NUMBER})*`;
const REFERENCE = new RegExp(
  String.raw`(?<!cc-)\b(${PAGES.join("|")}) (${LIST})(?![\w.]*\w)`,
  "g",
);

/** Everything of a page that can be cited. */
function citable(page: string): Set<string> {
  const text = ALL.find((file) => file.path === `docs/contract/${page}.md`)
    ?.text ?? "";
  const found = new Set<string>();
  for (const line of text.split("\n")) {
    const heading = /^#+ (\d+(?:\.\d+)*)\.? /.exec(line)?.[1] ??
      /^#+ (V\d+)a? /.exec(line)?.[1];
    const row = /^\|? ?([MORBJW]\d+)\b/.exec(line)?.[1];
    if (heading !== undefined) found.add(heading);
    if (row !== undefined) found.add(row);
    // Rows that stand together, as in "R7, R8".
    const rows = /^\| ((?:[A-Z]\d+, )+[A-Z]\d+) /.exec(line)?.[1];
    for (const name of rows?.split(", ") ?? []) found.add(name);
  }
  const numbered = page === "settled" ? text : lastChapter(text);
  for (const point of numbered.matchAll(/^(\d+)\. /gm)) {
    found.add(page === "settled" ? `${point[1]}` : `15.${point[1]}`);
  }
  return found;
}

/** The numbered points of chapter 15; empty where there is none. */
function lastChapter(text: string): string {
  const start = text.search(/^## 15\. /m);
  return start < 0 ? "" : text.slice(start);
}

/** Comments that go over several lines as one. */
function joined(text: string): string {
  return text.replaceAll(/\n\s*(?:\*|\/\/) /g, " ").replaceAll("\n", " ");
}

Deno.test("every reference to a contract leads to a section, row or point of its page", () => {
  const pages = new Map(PAGES.map((page) => [page as string, citable(page)]));
  const lost = CITING.flatMap((file) =>
    [...joined(file.text).matchAll(REFERENCE)].flatMap((match) => {
      const there = pages.get(match[1] ?? "") ?? new Set();
      return (match[2] ?? "").split(/, | and | to /)
        .filter((number) => !there.has(number))
        .map((number) => `${file.path}: ${match[1]} ${number}`);
    })
  );
  assert.deepEqual(lost, []);
});

Deno.test("a reference names the page it leads to", () => {
  const nameless = [
    new RegExp(String.raw`\b[Cc]ontract(?:'s)?,? (?:section )?\d`, "g"),
    new RegExp(String.raw`\b[Dd]ecisions? \d`, "g"),
    new RegExp(String.raw`(?<=\()[MO]\d{1,2}(?=[,);])`, "g"),
  ];
  const found = CITING.flatMap((file) =>
    nameless.flatMap((pattern) =>
      [...joined(file.text).matchAll(pattern)].map((match) =>
        `${file.path}: ${match[0]}`
      )
    )
  );
  assert.deepEqual(found, []);
});

Deno.test("links between documents lead to files that are there", () => {
  const lost = ALL.filter((file) => file.path.endsWith(".md"))
    .flatMap((file: TextFile) =>
      [...file.text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? "")
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => join(dirname(file.path), target).replace(/\/$/, ""))
        .filter((path) => !existsSync(`${ROOT}${path}`))
        .map((path) => `${file.path}: ${path}`)
    );
  assert.deepEqual(lost, []);
});
