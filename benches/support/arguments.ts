/** Command-line arguments of the benchmarks. */
import { parseArgs } from "node:util";

export interface BenchArguments {
  /** A tiny run that only shows that everything still works. */
  readonly small: boolean;
  /** The binary of the upstream store. */
  readonly peerCc: string | undefined;
  readonly hosts: number | undefined;
  readonly hours: number | undefined;
  /** Of the store benchmark. */
  readonly series: number | undefined;
  readonly repeat: number | undefined;
  /** Only these kinds of targets, comma-separated. */
  readonly only: readonly string[] | undefined;
  /** File for the results as JSON. */
  readonly out: string | undefined;
}

export function parseBenchArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      small: { type: "boolean", default: false },
      "peer-cc": { type: "string" },
      hosts: { type: "string" },
      hours: { type: "string" },
      series: { type: "string" },
      repeat: { type: "string" },
      only: { type: "string" },
      out: { type: "string" },
    },
  });
  return {
    small: values.small,
    peerCc: values["peer-cc"],
    hosts: positiveInteger("hosts", values.hosts),
    hours: positiveInteger("hours", values.hours),
    series: positiveInteger("series", values.series),
    repeat: positiveInteger("repeat", values.repeat),
    only: values.only?.split(","),
    out: values.out,
  };
}

function positiveInteger(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) {
    throw new Error(`--${name} must be a positive integer, not ${text}`);
  }
  return value;
}
