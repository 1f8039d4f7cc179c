/** From the file to a checked, frozen configuration. Main thread, once at start. */
import type { z } from "zod";
import { ConfigError, type ConfigProblem } from "./config_error.ts";
import { describeKey } from "./describe.ts";
import { type ConfigNote, resolveAliases, reviewConfig } from "./notes.ts";
import { type Config, configSchema, SECTIONS } from "./schema.ts";
import { ConfigSource, type KeyPath, type ReadText } from "./source.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** To be logged. */
  readonly notes: readonly ConfigNote[];
}

/**
 * Loads `file`; names of other files in it are relative to the working
 * directory. Throws a {@linkcode ConfigError} that lists every problem.
 */
export function loadConfig(
  file: string,
  read: ReadText = Deno.readTextFileSync,
): LoadedConfig {
  const source = new ConfigSource(file, SECTIONS, read);
  const aliases = resolveAliases(source);
  const result = configSchema.safeParse(source.value);
  if (!result.success) {
    const problems = result.error.issues.flatMap((issue) =>
      problemsOf(source, issue)
    );
    problems.sort((a, b) => a.line - b.line || a.column - b.column);
    throw new ConfigError(problems);
  }
  const config: Config = deepFreeze(result.data);
  return { config, notes: [...aliases, ...reviewConfig(source, config)] };
}

function problemsOf(
  source: ConfigSource,
  issue: z.core.$ZodIssue,
): ConfigProblem[] {
  const path = issue.path.map((key) =>
    typeof key === "number" ? key : String(key)
  );
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(source, path, key));
  }
  if (issue.code === "invalid_key") {
    return [source.problem(path, "empty name", "a name that is not empty")];
  }
  const secret = describeKey(path)?.secret === true &&
    source.at(path) !== undefined;
  return [source.problem(path, secret ? "wrong" : undefined, issue.message)];
}

function unknownKey(
  source: ConfigSource,
  parent: KeyPath,
  key: string,
): ConfigProblem {
  const known = [...describeKey(parent)?.keys.keys() ?? []];
  const what = parent.length === 0 ? "unknown section" : "unknown key";
  return source.problem([...parent, key], what, `one of ${known.join(", ")}`);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
