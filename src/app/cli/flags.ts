/**
 * Flags as Go programs take them: one or two dashes, `-config FILE` or
 * `-config=FILE`, switches alone or as `-dev=false`; `--` ends them, and so does
 * the first word that is no flag.
 */

/** The command line cannot be understood; the program ends with status 2. */
export class UsageError extends Error {
  readonly code = "E_USAGE";

  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

export interface FlagSpec {
  /** What its value is called in the help; absent: a switch. */
  readonly value?: string;
  readonly help: string;
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

export interface ParsedFlags {
  /** Switches are `"true"` or `"false"`; the last of several counts. */
  readonly values: ReadonlyMap<string, string>;
  /** What follows the flags. */
  readonly rest: readonly string[];
}

/** Throws a {@linkcode UsageError} for unknown flags and missing or odd values. */
export function parseFlags(
  args: readonly string[],
  specs: FlagSpecs,
): ParsedFlags {
  const values = new Map<string, string>();
  let at = 0;
  while (at < args.length) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-") || arg === "-") break;
    at++;
    if (arg === "--") break;
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg);
    const name = match?.[1] ?? arg;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw new UsageError(`unknown flag: ${arg}`);
    let value = match?.[2];
    if (spec.value !== undefined) {
      value ??= args[at++];
      if (value === undefined) {
        throw new UsageError(`-${name} needs a value: ${spec.value}`);
      }
    } else {
      value ??= "true";
      if (value !== "true" && value !== "false") {
        throw new UsageError(`-${name} is a switch: true or false expected`);
      }
    }
    values.set(name, value);
  }
  return { values, rest: args.slice(at) };
}
