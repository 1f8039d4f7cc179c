/** Which keys of the configuration a running server can take anew, and which differ. Pure. */
import type { Config } from "./schema.ts";

/** Keys whose new values count at once. */
export const RELOADABLE = [
  "main.api-allowed-ips",
  "main.trusted-proxies",
  "main.metrics-public",
  "main.max-body-size",
  "main.max-inflated-size",
] as const;

/** Sections that are the store's, which judges its metrics one by one. */
const OF_METRICS = ["metrics", "clusters"];

export interface ConfigChanges {
  /** Keys with new values that count at once. */
  readonly reloadable: readonly string[];
  /** Keys with new values that count after a restart. */
  readonly needsRestart: readonly string[];
}

/**
 * Compares `read` with the configuration of the last reload (`last`) and with that of
 * the start (`started`). The result holds keys alone, since values may be secret.
 */
export function compareConfigs(
  started: Config,
  last: Config,
  read: Config,
): ConfigChanges {
  const isReloadable = (key: string) => RELOADABLE.some((one) => one === key);
  return {
    reloadable: changedKeys(last, read).filter(isReloadable),
    needsRestart: changedKeys(started, read).filter((key) =>
      !isReloadable(key) && !OF_METRICS.includes(key.split(".", 1)[0]!)
    ),
  };
}

/** Paths of the values that differ; lists are values. */
function changedKeys(a: unknown, b: unknown, path = ""): string[] {
  if (!isSection(a) || !isSection(b)) {
    return JSON.stringify(a) === JSON.stringify(b) ? [] : [path];
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) =>
    changedKeys(a[key], b[key], path === "" ? key : `${path}.${key}`)
  );
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
