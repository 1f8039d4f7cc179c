/**
 * `metric-store.memory-cap` in bytes: the configured value, else a part of the memory
 * that the system leaves to the process. Main thread, once at the start.
 */
import process from "node:process";

/** No bound at all, in the configuration. */
export const NO_CAP = -1;
/**
 * Part of the control group's limit; the rest is for memory that the cap does not
 * count.
 */
const LIMIT_SHARE = 0.8;
/** Part of the machine's memory, which others use, too. */
const MACHINE_SHARE = 0.5;

/** Memory that the system leaves to the process, bytes. */
export interface SystemMemory {
  readonly machine: number;
  /** Limit of the control group; more than any machine has if there is none. */
  readonly limit: number;
}

export interface MemoryCap {
  /** 0: none. */
  readonly bytes: number;
  /** Where a cap comes from that is not configured. */
  readonly origin?: string;
}

/**
 * Returns the cap in bytes and its origin. `configured` is in GB; 0 takes a part of the
 * system's memory, -1 is no cap.
 */
export function memoryCap(
  configured: number,
  system: () => SystemMemory = systemMemory,
): MemoryCap {
  if (configured === NO_CAP) return { bytes: 0 };
  if (configured > 0) return { bytes: configured * 1e9 };
  const { machine, limit } = system();
  return limit > 0 && limit < machine
    ? {
      bytes: limit * LIMIT_SHARE,
      origin: `80 % of the ${inGb(limit)} GB of the control group`,
    }
    : {
      bytes: machine * MACHINE_SHARE,
      origin: `50 % of the ${inGb(machine)} GB of the machine`,
    };
}

/** The system shows the limit of the process' own control group, not those above it. */
function systemMemory(): SystemMemory {
  return {
    machine: Deno.systemMemoryInfo().total,
    limit: process.constrainedMemory(),
  };
}

/** Decimal, as in the configuration. */
export function inGb(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
