/**
 * House rules that no linter knows. What is looked for is put together from
 * parts, so that this file passes its own tests.
 */
import assert from "node:assert/strict";
import project from "../deno.json" with { type: "json" };
import { dirname, join } from "node:path/posix";
import { matchingLines, type TextFile, textFiles } from "./support/files.ts";

const LINES_MAX = 500;

const ALL = textFiles("");
const TYPESCRIPT = ALL.filter((file) => /\.tsx?$/.test(file.path));
const STYLES = ALL.filter((file) => file.path.endsWith(".css"));
const PRODUCT = TYPESCRIPT.filter((file) =>
  file.path === "main.ts" || /^(src|workers)\//.test(file.path)
);

/** Fails with every line of `files` that matches. */
function assertNowhere(files: readonly TextFile[], pattern: RegExp): void {
  const found = files.flatMap((file) => matchingLines(file, pattern));
  assert.deepEqual(found, []);
}

function except(files: readonly TextFile[], ...paths: string[]): TextFile[] {
  return files.filter((file) => !paths.includes(file.path));
}

Deno.test("source files stay under 500 lines", () => {
  const long = [...TYPESCRIPT, ...STYLES].filter((file) =>
    file.text.split("\n").length > LINES_MAX
  );
  assert.deepEqual(long.map((file) => file.path), []);
});

Deno.test("the tests of every folder of src are run", () => {
  // Deno 2.9.6 finds no tests in a folder above a member of the workspace.
  assert.match(
    project.tasks.test.command,
    / src\/\*\*\/\*_test\.ts tests$/,
  );
  const unnamed = TYPESCRIPT.filter(({ path, text }) =>
    path.startsWith("src/") && /^Deno\.test\(/m.test(text) &&
    !path.endsWith("_test.ts")
  );
  assert.deepEqual(unnamed.map(({ path }) => path), []);
  const above = project.workspace.filter((member) =>
    member.startsWith("tests/")
  );
  assert.deepEqual(above, []);
});

Deno.test("source files are named in snake_case", () => {
  const odd = TYPESCRIPT.filter((file) =>
    !/(^|\/)[a-z0-9_]+\.tsx?$/.test(file.path)
  );
  assert.deepEqual(odd.map((file) => file.path), []);
});

Deno.test("source files open with a module doc", () => {
  const without = TYPESCRIPT.filter((file) =>
    !/^src\/.*_test\.ts$/.test(file.path) && !/^(#!.*\n)?\/\*\*/.test(file.text)
  );
  assert.deepEqual(without.map((file) => file.path), []);
});

Deno.test("the wall clock is read in src/base/clock.ts only", () => {
  // Pages have a clock of their own, set by the server's (web 5.4).
  const files = except(
    TYPESCRIPT,
    "src/base/clock.ts",
    "src/web/client/clock.ts",
  );
  assertNowhere(files, new RegExp("Date" + String.raw`\.now|new Date\(\)`));
});

Deno.test("nothing is left to unseeded chance", () => {
  assertNowhere(TYPESCRIPT, new RegExp("Math" + String.raw`\.random`));
});

Deno.test("only src/base/log.ts may use the console", () => {
  const files = except(TYPESCRIPT, "src/base/log.ts");
  assertNowhere(files, new RegExp(String.raw`\bconsole` + String.raw`\.[a-z]`));
});

Deno.test("no work is left as a mark in the source", () => {
  const marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"];
  assertNowhere(ALL, new RegExp(String.raw`\b(${marks.join("|")})\b`));
});

Deno.test("no file names a package registry", () => {
  const hosts = [
    ["registry", "npmjs", "org"],
    ["registry", "yarnpkg", "com"],
    ["registry", "npmmirror", "com"],
    ["jsr", "io"],
    ["esm", "sh"],
    ["unpkg", "com"],
    ["cdn", "jsdelivr", "net"],
    ["deno", "land"],
  ].map((parts) => parts.join(String.raw`\.`));
  assertNowhere(ALL, new RegExp(String.raw`\b(${hosts.join("|")})\b`));
});

Deno.test("product code does not import tests or benchmarks", () => {
  const found = PRODUCT.flatMap((file) =>
    importsOf(file).filter((target) => /^(tests|benches)\//.test(target))
      .filter(() => !file.path.endsWith("_test.ts"))
      .map((target) => `${file.path} imports ${target}`)
  );
  assert.deepEqual(found, []);
});

/** What a file imports; relative ones as paths from the root. */
function importsOf(file: TextFile): string[] {
  const specifiers = file.text.matchAll(
    /^(?:import|export)\s[^"';=]*?\sfrom\s+"([^"]+)"|^import\s+"([^"]+)"/gm,
  );
  return [...specifiers].map((match) => match[1] ?? match[2] ?? "").map((
    specifier,
  ) =>
    specifier.startsWith(".") ? join(dirname(file.path), specifier) : specifier
  );
}

Deno.test("what a server may do stands in the start task alone", () => {
  const { tasks } = project;
  assert.match(tasks.start.command, /^deno run .*--allow-net .*main\.ts$/);
  assert.match(tasks.dev, /^deno task start /);
});

Deno.test("pages make no HTML and no code from text", () => {
  const pages = [...TYPESCRIPT, ...STYLES].filter((file) =>
    file.path.startsWith("src/web/client/")
  );
  const words = [
    "inner" + "HTML",
    "outer" + "HTML",
    "insertAdjacent" + "HTML",
    "dangerously" + "SetInnerHTML",
    String.raw`\beval\(`,
    String.raw`new Func` + String.raw`tion\(`,
    String.raw`document\.` + "write",
    // A style as text is an inline style, which the policy of the pages forbids.
    String.raw`\bstyle=["'\x60]`,
    String.raw`setAttribute\(["']style`,
    // Nothing comes from elsewhere.
    String.raw`https?://(?!www\.w3\.org/)`,
    String.raw`@import\s+url\(`,
  ];
  assertNowhere(pages, new RegExp(words.join("|")));
});

Deno.test("what pages and server share knows neither DOM nor Deno", () => {
  const shared = TYPESCRIPT.filter((file) =>
    file.path.startsWith("src/web/shared/") && !file.path.endsWith("_test.ts")
  );
  const foreign = String.raw`\b(Deno|document|window|localStorage)\.[a-z]`;
  assertNowhere(shared, new RegExp(foreign));
});

Deno.test("no package of the lock file runs scripts, or warns that it would", () => {
  const { npm }: { npm: Record<string, { scripts?: boolean }> } = JSON.parse(
    Deno.readTextFileSync(new URL("../deno.lock", import.meta.url)),
  );
  const scripted = Object.entries(npm)
    .filter(([, { scripts }]) => scripts === true)
    .map(([name]) => `npm:${name.slice(0, name.lastIndexOf("@"))}`);
  assert.deepEqual(scripted, project.allowScripts.deny);
});

Deno.test("the fuzz task finds the property tests by itself", () => {
  const { fuzz } = project.tasks;
  const search = /\$\((grep -rl --include=(\S+) '([^']+)' src tests)\)$/.exec(
    fuzz,
  );
  assert.ok(search !== null, fuzz);
  const [, , include = "", word = ""] = search;
  assert.equal(include, "*_test.ts");
  // Runs that a module without tests multiplies would be found by no search.
  const others = ALL.filter((file) =>
    file.text.includes(word) && /\.ts$/.test(file.path) &&
    !file.path.endsWith("_test.ts")
  );
  assert.deepEqual(others.map((file) => file.path), [
    "tests/support/fuzz_runs.ts",
  ]);
  const read = ALL.filter((file) =>
    file.path.endsWith("_test.ts") && /\bfuzzRuns\b/.test(file.text)
  );
  const missed = read.filter((file) =>
    !file.text.includes(word) && file.path !== "tests/tidy_test.ts"
  );
  assert.deepEqual(missed.map((file) => file.path), []);
  assert.ok(read.length > 30, "property tests are found");
});

/**
 * Sentences of comments whose subject is a riddle, by room. The numbers only fall: a
 * room that is not listed has none.
 */
const RIDDLES: Readonly<Record<string, number>> = {
  access: 37,
  "admin/accounts": 16,
  "admin/tenants": 15,
  "app/cli": 17,
  "app/routes": 7,
  "app/server": 9,
  "app/transfer": 7,
  http: 35,
  "http/answer": 3,
  "http/body": 11,
  "http/guard": 4,
  "prometheus/api": 6,
  "prometheus/evaluate": 27,
  "prometheus/language": 8,
  "prometheus/worker": 8,
};

Deno.test("comments have a subject: no who, what, whoever, Of or False", () => {
  const counts = new Map<string, string[]>();
  for (const file of PRODUCT) {
    if (file.path.endsWith("_test.ts")) continue;
    const found = riddlesOf(file.text);
    if (found.length === 0) continue;
    const room = file.path.split("/").slice(1, -1).slice(0, 2).join("/");
    const all = counts.get(room) ?? [];
    counts.set(room, [...all, ...found.map((one) => `${file.path}: ${one}`)]);
  }
  const tooMany = [...counts].flatMap(([room, found]) => {
    const allowed = RIDDLES[room] ?? 0;
    return found.length > allowed
      ? [`${room} has ${found.length}, at most ${allowed}:`, ...found]
      : [];
  });
  assert.ok(tooMany.length === 0, tooMany.join("\n"));
});

/** The sentences of a file's comments that begin with one of the words. */
function riddlesOf(text: string): string[] {
  const comments = text.match(/\/\*\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm) ?? [];
  return comments
    .map((comment) => comment.replace(/^[ \t]*(?:\/\*\*|\*\/|\*|\/\/)/gm, ""))
    .flatMap((comment) => comment.split(/(?<=[.:;!?])\s|\n\s*\n/))
    .map((sentence) => sentence.replaceAll(/\s+/g, " ").trim())
    .filter((sentence) =>
      /^(?:Who|What|Whoever|Whatever|Whose|Of|False|True)\b(?!.*\?$)/.test(
        sentence,
      )
    );
}
