/**
 * The files that `deno task web` has built, read into memory once: scripts and styles
 * of the pages with what they are compressed to (web 5.1). Main thread, at start.
 */
import { accepts } from "../../http/answer/compression.ts";
import { manifestSchema } from "../build/manifest.ts";

/** Beside the sources; a compiled program carries it. */
export const PAGES_DIRECTORY = new URL("../../../dist/web/", import.meta.url);

/** One file as it is sent; the codings that there are. */
export interface Asset {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly codings: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export interface PageAssets {
  /** Differs where the pages differ. */
  readonly build: string;
  /** Name of the module that a page loads, a key of `files`. */
  readonly script: string;
  /** Name of the style sheet, likewise. */
  readonly style: string;
  readonly files: ReadonlyMap<string, Asset>;
}

/** Where a file is served. */
export const ASSETS_PATH = "/web/assets";

/** By extension of the compressed file, the best first. */
const CODINGS = [["br", "br"], ["gz", "gzip"]] as const;

/**
 * The pages in a directory; `undefined`: nothing was built there. Throws an `Error`
 * that names the directory where what is there cannot be read.
 */
export function loadAssets(directory: URL): PageAssets | undefined {
  const manifest = readIfThere(new URL("manifest.json", directory));
  if (manifest === undefined) return undefined;
  try {
    const { build, script, style, files } = manifestSchema.parse(
      JSON.parse(new TextDecoder().decode(manifest)),
    );
    for (const name of [script, style]) {
      if (!Object.hasOwn(files, name)) throw new Error(`it lacks ${name}`);
    }
    return {
      build,
      script,
      style,
      files: new Map(
        Object.entries(files).map(([name, { type }]) => [
          name,
          readAsset(directory, name, type),
        ]),
      ),
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `the pages in ${directory.pathname} are damaged: ${reason}; build them again: deno task web`,
      { cause },
    );
  }
}

function readAsset(directory: URL, name: string, type: string): Asset {
  const codings = CODINGS.flatMap(([extension, coding]) => {
    const bytes = readIfThere(new URL(`${name}.${extension}`, directory));
    return bytes === undefined ? [] : [[coding, bytes] as const];
  });
  return {
    type,
    plain: Deno.readFileSync(new URL(name, directory)),
    codings: new Map(codings),
  };
}

function readIfThere(file: URL): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The bytes for a client that accepts these codings. */
export function chosenCoding(
  { plain, codings }: Asset,
  acceptEncoding: string,
): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly coding: string | undefined;
} {
  for (const [coding, bytes] of codings) {
    if (accepts(acceptEncoding, coding)) return { bytes, coding };
  }
  return { bytes: plain, coding: undefined };
}
