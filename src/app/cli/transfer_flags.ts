/** The flags of `import`, `export` and `estimate`, and what they mean. */
import { parseDuration } from "../../config/settings/duration.ts";
import {
  EXPORT_FORMATS,
  type ExportFormat,
} from "../transfer/export_writers.ts";
import {
  type FlagSpec,
  type FlagSpecs,
  type ParsedFlags,
  UsageError,
} from "./flags.ts";

/** Which server; what is not given follows from the configuration. */
export interface ServerChoice {
  readonly url: string | undefined;
  readonly token: string | undefined;
}

export type TransferLine =
  | {
    readonly command: "import";
    readonly directory: string;
    readonly cluster: string | undefined;
    readonly types: readonly string[];
    readonly server: ServerChoice;
  }
  | {
    readonly command: "export";
    readonly cluster: string;
    /** Empty: all. */
    readonly hosts: readonly string[];
    readonly metrics: readonly string[];
    readonly fromSec: number;
    readonly toSec: number;
    /** Types of levels besides those that are known. */
    readonly types: readonly string[];
    readonly format: ExportFormat;
    /** `undefined`: standard output. */
    readonly out: string | undefined;
    readonly server: ServerChoice;
  }
  | {
    readonly command: "estimate";
    readonly hosts: number;
    readonly seriesPerHost: number;
    readonly frequencySec: number;
    readonly retentionSec: number;
  };

const SERVER_FLAGS: FlagSpecs = {
  url: {
    value: "URL",
    help: "of the server (default the address in the configuration)",
  },
  token: {
    value: "TOKEN",
    help: "to show there (default one signed with the private key)",
  },
};

/** Where names of levels are taken apart. */
const TYPES_FLAG: FlagSpec = {
  value: "LIST",
  help: "further types of levels, such as fs,device: fshome becomes fs, home",
};

export const IMPORT_FLAGS: FlagSpecs = {
  cluster: { value: "NAME", help: "only this one" },
  types: TYPES_FLAG,
  ...SERVER_FLAGS,
};

export const EXPORT_FLAGS: FlagSpecs = {
  cluster: { value: "NAME", help: "which (required)" },
  host: { value: "LIST", help: "joined by commas (default all)" },
  metric: { value: "LIST", help: "joined by commas (default all)" },
  from: {
    value: "TIME",
    help: "Unix seconds or 2026-11-21T08:00:00Z (required)",
  },
  to: { value: "TIME", help: "the same, exclusive (required)" },
  types: TYPES_FLAG,
  format: {
    value: "FORMAT",
    help: `${EXPORT_FORMATS.join("|")} (default line)`,
  },
  out: { value: "FILE", help: "default standard output" },
  ...SERVER_FLAGS,
};

export const ESTIMATE_FLAGS: FlagSpecs = {
  hosts: { value: "N", help: "hosts (required)" },
  "series-per-host": {
    value: "N",
    help: "series of each: metrics times levels (required)",
  },
  frequency: {
    value: "DURATION",
    help: "between two samples of a series (default 60s)",
  },
  retention: { value: "DURATION", help: "kept in memory (default 48h)" },
};

export function readImport({ values, rest }: ParsedFlags): TransferLine {
  const [directory] = rest;
  if (directory === undefined) throw new UsageError("import needs DIR");
  return {
    command: "import",
    directory,
    cluster: values.get("cluster"),
    types: readList(values.get("types")),
    server: readServer(values),
  };
}

export function readExport({ values }: ParsedFlags): TransferLine {
  const word = values.get("format") ?? "line";
  const format = EXPORT_FORMATS.find((known) => known === word);
  if (format === undefined) {
    throw new UsageError(`--format is one of ${EXPORT_FORMATS.join(", ")}`);
  }
  return {
    command: "export",
    cluster: required(values, "export", "cluster", "NAME"),
    hosts: readList(values.get("host")),
    metrics: readList(values.get("metric")),
    fromSec: readTime(required(values, "export", "from", "TIME"), "from"),
    toSec: readTime(required(values, "export", "to", "TIME"), "to"),
    types: readList(values.get("types")),
    format,
    out: values.get("out"),
    server: readServer(values),
  };
}

export function readEstimate({ values }: ParsedFlags): TransferLine {
  const count = (name: string) => {
    const text = required(values, "estimate", name, "N");
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new UsageError(`--${name} is a positive integer, not "${text}"`);
  };
  const duration = (name: string, preset: string) => {
    const text = values.get(name) ?? preset;
    const sec = parseDuration(text);
    if (sec !== undefined && sec >= 1) return sec;
    throw new UsageError(
      `--${name} is a duration of at least 1s, not "${text}"`,
    );
  };
  return {
    command: "estimate",
    hosts: count("hosts"),
    seriesPerHost: count("series-per-host"),
    frequencySec: duration("frequency", "60s"),
    retentionSec: duration("retention", "48h"),
  };
}

function readServer(values: ReadonlyMap<string, string>): ServerChoice {
  const url = values.get("url");
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new UsageError(`--url is such as http://host:8082, not "${url}"`);
  }
  return { url, token: values.get("token") };
}

function required(
  values: ReadonlyMap<string, string>,
  command: string,
  name: string,
  value: string,
): string {
  const text = values.get(name) ?? "";
  if (text !== "") return text;
  throw new UsageError(`${command} needs --${name} ${value}`);
}

function readList(text: string | undefined): string[] {
  return (text ?? "").split(",").map((word) => word.trim())
    .filter((word) => word !== "");
}

/** A time without a zone would mean another moment on another machine. */
function readTime(text: string, name: string): number {
  if (/^-?\d{1,11}$/.test(text)) return Number(text);
  const sec = secondsOf(text);
  if (sec !== undefined) return sec;
  throw new UsageError(
    `--${name} is Unix time in seconds or such as 2026-11-21T08:00:00Z, not "${text}"`,
  );
}

/** `undefined`: no such moment; what `Date` makes of 30 February is another one. */
function secondsOf(text: string): number | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/
    .exec(text);
  if (parts === null) return undefined;
  const [, day = "", time = "T00:00:00Z"] = parts;
  try {
    return Temporal.Instant.from(day + time).epochMilliseconds / 1000;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
