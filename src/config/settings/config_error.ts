/** A fault of the configuration, in words that name its place and its cure. */

/** One thing to mend. */
export interface ConfigProblem {
  readonly file: string;
  /** Counted from 1; 0 where the file could not be read. */
  readonly line: number;
  readonly column: number;
  /** Keys from the top, joined by dots; empty for the file as a whole. */
  readonly path: string;
  /** The value found, as shortened JSON, or a word such as `missing`. */
  readonly found: string;
  readonly expected: string;
}

/** The configuration cannot be used; every problem found is listed. */
export class ConfigError extends Error {
  readonly code = "E_CONFIG";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** `config.json:3:13: main.addr: got 7, expected "host:port"` */
export function describeProblem(problem: ConfigProblem): string {
  const { file, line, column, path, found, expected } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const key = path === "" ? "" : ` ${path}:`;
  return `${place}:${key} ${found}, expected ${expected}`;
}
