/** Output of the benchmarks: lines on stdout, results as JSON files. */
import { dirname } from "node:path";

const encoder = new TextEncoder();

export function print(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Writes a result file and the directories above it. */
export async function writeResult(
  file: string,
  result: unknown,
): Promise<void> {
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

/** The middle of the values, the mean of two where there is no one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** With linear interpolation between the neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) {
    throw new Error("no values to take a quantile of");
  }
  return low + (high - low) * (at - Math.floor(at));
}

/** Ratios of interleaved pairs: the median and the quartiles. */
export interface RatioSpread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(ratios: readonly number[]): RatioSpread {
  return {
    median: median(ratios),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  };
}

/** Like `1.02 (0.97 to 1.10)`. */
export function formatSpread(
  { median, low, high }: RatioSpread,
  digits: number,
): string {
  const [middle, from, to] = [median, low, high].map((ratio) =>
    ratio.toFixed(digits)
  );
  return `${middle} (${from} to ${to})`;
}
