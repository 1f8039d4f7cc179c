/**
 * `deno task compile`: one program in dist/ringstore with its workers inside, for
 * this machine or another (`--target`). Deno adds a runtime to it, `denort`, that it
 * downloads once; where it cannot, this says so.
 */
import project from "../../../deno.json" with { type: "json" };
import { nowSec } from "../../base/clock.ts";
import { printError, printLine } from "./output.ts";
import { BUILD_FILE, readCommit } from "./version.ts";

const ROOT = new URL("../../../", import.meta.url);
const OUTPUT = "dist/ringstore";

const NO_RUNTIME = `
The runtime of compiled programs (denort) cannot be downloaded on this machine.
The program itself is not the reason: \`deno task start\` runs it. Compile on a
machine that can download it, or set DENORT_BIN to a denort of Deno ${Deno.version.deno}.`;

/** What is not reached by imports and must be named: the entries of the workers. */
export function includedFiles(): string[] {
  return [...Deno.readDirSync(new URL("workers", ROOT))]
    .map(({ name }) => `workers/${name}`)
    .filter((path) => path.endsWith(".ts") && !path.endsWith("_test.ts"))
    .sort();
}

/** The pages as `deno task web` built them; none where it could not. */
function builtPages(): string[] {
  try {
    Deno.statSync(new URL("dist/web/manifest.json", ROOT));
    return ["dist/web"];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The arguments of `deno`; permissions and memory settings are those of the `start` task. */
export function compileArguments(extra: readonly string[]): string[] {
  const settings = project.tasks.start.command.split(" ")
    .filter((word) => /^--(?:allow-|v8-flags=)/.test(word));
  const included = [...includedFiles(), "dist/build.json", ...builtPages()]
    .flatMap((file) => ["--include", file]);
  return [
    ...["compile", "--no-prompt", ...settings, ...included],
    ...["--output", OUTPUT, ...extra, "main.ts"],
  ];
}

async function compile(): Promise<number> {
  Deno.mkdirSync(new URL("dist", ROOT), { recursive: true });
  const build = {
    gitHash: readCommit() ?? "unknown",
    buildTime: new Date(nowSec() * 1000).toISOString(),
  };
  Deno.writeTextFileSync(BUILD_FILE, JSON.stringify(build));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: compileArguments(Deno.args),
    cwd: ROOT,
    stdout: "inherit",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr);
  printError(said.trimEnd());
  if (success) printLine(`compiled: ${OUTPUT}`);
  else if (/denort|base binary/.test(said)) printError(NO_RUNTIME);
  return success ? 0 : 1;
}

if (import.meta.main) Deno.exit(await compile());
