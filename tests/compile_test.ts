/**
 * What can be checked of `deno task compile` without the runtime it downloads:
 * everything the program loads is in the module graph or named by `--include`.
 */
import assert from "node:assert/strict";
import { compileArguments, includedFiles } from "../src/app/cli/compile.ts";
import { ROOT } from "./support/server.ts";

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly local?: string;
    readonly error?: string;
  }[];
}

async function moduleGraph(entry: string): Promise<ModuleGraph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The sources of the program that are in the graph of an entry. */
async function ownSources(entry: string): Promise<string[]> {
  const { modules } = await moduleGraph(entry);
  return modules.map(({ local }) => local ?? "")
    .filter((local) => local.startsWith(ROOT) && local.endsWith(".ts"));
}

const ENTRIES = [
  "main.ts",
  // Starts the workers of the job archive; main.ts does not reach it yet.
  "src/jobs/archive/job_archive_client.ts",
  ...includedFiles(),
];

Deno.test("compile resolves every module of the program and its workers", async () => {
  for (const entry of ENTRIES) {
    const { modules } = await moduleGraph(entry);
    assert.ok(modules.length > 1, entry);
    for (const { specifier, error } of modules) {
      assert.equal(error, undefined, specifier);
      assert.match(specifier, /^(file|npm|node|data):/);
    }
  }
});

Deno.test("compile includes the entry of every worker that the program starts", async () => {
  const started = new Set<string>();
  for (const entry of ENTRIES) {
    for (const file of await ownSources(entry)) {
      const source = await Deno.readTextFile(file);
      const workers = source.split("new Worker(").length - 1;
      const named = [...source.matchAll(
        /new Worker\(\s*new URL\(\s*"([^"]+)",\s*import\.meta\.url,?\s*\)/g,
      )];
      assert.equal(named.length, workers, `${file} names its workers in place`);
      for (const [, path = ""] of named) {
        const { pathname } = new URL(path, `file://${file}`);
        started.add(pathname.slice(ROOT.length));
      }
    }
  }
  assert.deepEqual([...started].sort(), includedFiles());
  const args = compileArguments([]);
  for (const file of started) {
    const at = args.indexOf(file);
    assert.equal(args[at - 1], "--include", file);
  }
});

Deno.test("compile leaves no import to be computed at run time", async () => {
  for (const entry of ENTRIES) {
    for (const file of await ownSources(entry)) {
      const source = await Deno.readTextFile(file);
      assert.doesNotMatch(source, /\bimport\(\s*[^"\s]/, file);
      assert.doesNotMatch(
        source,
        /\b(createRequire|eval|importScripts)\(/,
        file,
      );
    }
  }
});

Deno.test("compile names its permissions as the start task does", () => {
  const args = compileArguments(["--target", "aarch64-unknown-linux-gnu"]);
  assert.ok(args.includes("--allow-write=./var"));
  assert.ok(args.some((word) => word.startsWith("--v8-flags=")));
  assert.ok(!args.includes("-A") && !args.includes("--allow-all"));
  assert.deepEqual(args.slice(-3), [
    "--target",
    "aarch64-unknown-linux-gnu",
    "main.ts",
  ]);
});
