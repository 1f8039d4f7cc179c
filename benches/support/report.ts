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
