/**
 * `deno task web`: bundles the pages (src/web/client) into `dist/web`, names files by
 * their content, and writes gzip and brotli beside them (web 5.1). It says nothing and
 * does nothing when the inputs are those of last time. Where it cannot build or write,
 * as without network at the very first start or in a read-only checkout, it says so in
 * one line and ends well: the server runs without pages, or with those there are.
 *
 * Only a mistake in the sources ends it with 1.
 */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { WebManifest } from "./manifest.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const CLIENT = `${ROOT}src/web/client`;
const SHARED = `${ROOT}src/web/shared`;
const DIST = `${ROOT}dist`;
const OUTPUT = `${DIST}/web`;

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** Stops a build without a mistake in the sources. */
class CannotBuild extends Error {}

async function main(): Promise<number> {
  const inputs = hashOfInputs();
  if (lastInputs() === inputs) return 0;
  try {
    const files = await bundle();
    writeOutput(files, inputs);
    return 0;
  } catch (error) {
    if (error instanceof CannotBuild) {
      say(`web: the pages are not built: ${firstLine(error.message)}`);
      return 0;
    }
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

/** One hash of the sources, the versions of the packages, and the bundler's. */
function hashOfInputs(): string {
  const hash = createHash("sha256").update(Deno.version.deno);
  const files = [
    import.meta.filename ?? "",
    `${ROOT}deno.json`,
    `${ROOT}deno.lock`,
    ...sourcesBelow(CLIENT),
    ...sourcesBelow(SHARED),
  ];
  for (const file of files) {
    hash.update(file.slice(ROOT.length)).update("\0");
    hash.update(Deno.readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

function sourcesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      if (isDirectory) return sourcesBelow(path);
      return /_test\.tsx?$/.test(name) ? [] : [path];
    });
}

/** The hash of the pages that lie there; none: there are none. */
function lastInputs(): string | undefined {
  try {
    const text = Deno.readTextFileSync(`${OUTPUT}/manifest.json`);
    const { inputs }: Partial<WebManifest> = JSON.parse(text);
    return inputs;
  } catch {
    // Absent or damaged: it is made anew.
    return undefined;
  }
}

/** The bundled files by their final names, and which of them a page names. */
interface Bundled {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly script: string;
  readonly style: string;
}

async function bundle(): Promise<Bundled> {
  const files = new Map<string, Uint8Array>();
  const named = new Map<string, string>();
  for (const { path, contents } of await runBundler()) {
    const base = path.slice(path.lastIndexOf("/") + 1);
    // Chunks have a hash in their names, which others import them by.
    const isEntry = base === "main.js" || base === "style.css";
    const name = isEntry ? withHash(base, contents) : base;
    files.set(name, contents);
    named.set(base, name);
  }
  const script = named.get("main.js");
  const style = named.get("style.css");
  if (script === undefined || style === undefined) {
    throw new Error(`web: the bundler made ${[...named.keys()]} alone`);
  }
  return { files, script, style };
}

async function runBundler(): Promise<{ path: string; contents: Uint8Array }[]> {
  let result: Deno.bundle.Result;
  try {
    result = await Deno.bundle({
      entrypoints: [`${CLIENT}/main.tsx`, `${CLIENT}/styles/style.css`],
      outputDir: OUTPUT,
      platform: "browser",
      format: "esm",
      codeSplitting: true,
      minify: true,
      write: false,
    });
  } catch (error) {
    throw new CannotBuild(error instanceof Error ? error.message : "");
  }
  if (!result.success) {
    throw new Error(
      result.errors.map(({ text, location }) => {
        const place = location ? `${location.file}:${location.line}: ` : "";
        return `web: ${place}${text}`;
      }).join("\n"),
    );
  }
  return (result.outputFiles ?? []).map(({ path, contents }) => {
    if (contents === undefined) throw new Error(`web: ${path} has no content`);
    return { path, contents };
  });
}

function withHash(base: string, contents: Uint8Array): string {
  const hash = createHash("sha256").update(contents).digest("hex");
  return base.replace(".", `-${hash.slice(0, 10)}.`);
}

/** Writes a fresh folder and puts it in the place of the old one. */
function writeOutput({ files, script, style }: Bundled, inputs: string): void {
  const fresh = `${OUTPUT}.new-${Deno.pid}`;
  const old = `${OUTPUT}.old-${Deno.pid}`;
  const sorted = [...files].sort(([a], [b]) => a < b ? -1 : 1);
  const build = createHash("sha256");
  const manifest: WebManifest = { inputs, build: "", script, style, files: {} };
  try {
    Deno.mkdirSync(fresh, { recursive: true });
    for (const [name, contents] of sorted) {
      build.update(name).update(contents);
      const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "";
      manifest.files[name] = { type, bytes: contents.length };
      Deno.writeFileSync(`${fresh}/${name}`, contents);
      Deno.writeFileSync(`${fresh}/${name}.gz`, gzipSync(contents));
      Deno.writeFileSync(`${fresh}/${name}.br`, brotli(contents));
    }
    manifest.build = build.digest("hex").slice(0, 16);
    Deno.writeTextFileSync(
      `${fresh}/manifest.json`,
      JSON.stringify(manifest, null, 2) + "\n",
    );
    moveAway(old);
    Deno.renameSync(fresh, OUTPUT);
  } catch (error) {
    // Somebody else may have been faster with the same.
    if (lastInputs() === inputs) return;
    throw new CannotBuild(error instanceof Error ? error.message : "");
  } finally {
    removeIfThere(fresh);
    removeIfThere(old);
  }
}

function brotli(contents: Uint8Array): Uint8Array {
  return brotliCompressSync(contents, {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: contents.length },
  });
}

function moveAway(old: string): void {
  try {
    Deno.renameSync(OUTPUT, old);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeIfThere(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch {
    // It was renamed, or was never made; what is left over does no harm.
  }
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => line.trim() !== "")?.trim() ?? text;
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exit(await main());
