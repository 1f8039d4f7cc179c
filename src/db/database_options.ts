/** Where the database is and what it may use, from the configuration. */
import type { Config } from "../config/mod.ts";

export interface DatabaseOptions {
  readonly path: string;
  readonly cacheSizeMb: number;
  readonly softHeapLimitMb: number;
  readonly busyTimeoutMs: number;
}

export function databaseOptions({ main }: Config): DatabaseOptions {
  const settings = main["db-config"];
  return {
    path: main.db,
    cacheSizeMb: settings["cache-size-mb"],
    softHeapLimitMb: settings["soft-heap-limit-mb"],
    busyTimeoutMs: settings["busy-timeout-ms"],
  };
}
