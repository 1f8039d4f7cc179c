/** JSON checkpoints as upstream writes them (metric-store 8.2). Pure. */
import { errorText } from "../../base/log.ts";
import { CheckpointError, type StoredSeries } from "./checkpoint.ts";

/** All series of one file. Throws a {@linkcode CheckpointError}. */
export function readJsonCheckpoint(text: string): StoredSeries[] {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(
      `no JSON: ${errorText(error)}`,
    );
  }
  const series: StoredSeries[] = [];
  readLevel(root, [], series);
  return series;
}

function readLevel(
  value: unknown,
  levels: readonly string[],
  out: StoredSeries[],
): void {
  const level = members(value, levels, "");
  for (
    const [metric, entry] of Object.entries(
      members(level["metrics"] ?? {}, levels, "metrics"),
    )
  ) out.push(readSeries(entry, levels, metric));
  for (
    const [name, child] of Object.entries(
      members(level["children"] ?? {}, levels, "children"),
    )
  ) readLevel(child, [...levels, name], out);
}

function readSeries(
  value: unknown,
  levels: readonly string[],
  metric: string,
): StoredSeries {
  const { frequency, start, data } = members(value, levels, metric);
  const isGood = isInteger(frequency) && frequency > 0 && isInteger(start) &&
    Array.isArray(data) &&
    data.every((one) => one === null || typeof one === "number");
  if (!isGood) {
    throw unexpected(levels, metric, "frequency, start and data");
  }
  return {
    levels,
    metric,
    frequencySec: frequency,
    startSec: start,
    values: data,
  };
}

function members(
  value: unknown,
  levels: readonly string[],
  key: string,
): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw unexpected(levels, key, "an object");
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function unexpected(
  levels: readonly string[],
  key: string,
  expected: string,
): CheckpointError {
  const place = [...levels, key].filter((name) => name !== "").join("/");
  return new CheckpointError(
    `${place === "" ? "" : `${place}: `}${expected} expected`,
  );
}
