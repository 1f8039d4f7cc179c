/**
 * The file that `deno task web` writes and the server reads: `dist/web/manifest.json`. Beside
 * it lie the files it names, each with a `.gz` and a `.br` of itself, all flat. The
 * server answers them as `/web/assets/<name>`; names carry a hash of their content,
 * so they never change (web 5.1). Pure.
 */
import { z } from "zod";

export const manifestSchema = z.strictObject({
  /** Hash of everything the files were made of; other inputs mean: build again. */
  inputs: z.string(),
  /** Hash of the files; what a page compares to know that it is old. */
  build: z.string(),
  /** Name of the module that a page loads, a key of `files`. */
  script: z.string(),
  /** Name of the style sheet that a page links. */
  style: z.string(),
  files: z.record(
    z.string().regex(/^[\w-]+\.(js|css)$/),
    z.strictObject({ type: z.string(), bytes: z.int() }),
  ),
});
export type WebManifest = z.infer<typeof manifestSchema>;
