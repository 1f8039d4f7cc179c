/** Path and memory of the database, from the configuration. */
import { memoryCap } from "../config/settings/memory_cap.ts";
import type { Config } from "../config/settings/mod.ts";

export interface DatabaseOptions {
  readonly path: string;
  readonly cacheSizeMb: number;
  readonly softHeapLimitMb: number;
  readonly busyTimeoutMs: number;
}

/**
 * Part of `memory-cap` that pages of the database may take. Lists over a million jobs
 * are as fast with 16 MB as with 2 GB: the system's own cache has the file.
 */
const CACHE_SHARE = 1 / 16;
const CACHE_MB_MIN = 4;

/**
 * Returns path and memory limits of the database; its cache is at most a part of
 * `memory-cap`.
 */
export function databaseOptions(
  { main, "metric-store": store }: Config,
): DatabaseOptions {
  const settings = main["db-config"];
  const capMb = memoryCap(store["memory-cap"]).bytes / 2 ** 20;
  const shareMb = capMb === 0
    ? Infinity
    : Math.max(CACHE_MB_MIN, Math.floor(capMb * CACHE_SHARE));
  return {
    path: main.db,
    cacheSizeMb: Math.min(settings["cache-size-mb"], shareMb),
    softHeapLimitMb: settings["soft-heap-limit-mb"],
    busyTimeoutMs: settings["busy-timeout-ms"],
  };
}
