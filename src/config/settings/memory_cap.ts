/**
 * What `metric-store.memory-cap` means in bytes: what is configured, else a part of
 * what the system lets the process have. Main thread, once at the start.
 */
import process from "node:process";

/** No bound at all, in the configuration. */
export const NO_CAP = -1;
/** Part of the control group's limit; the rest is for what the cap does not count. */
const LIMIT_SHARE = 0.8;
/** Part of the machine's memory, which others use, too. */
const MACHINE_SHARE = 0.5;

/** What the system has for the process, bytes. */
export interface SystemMemory {
  readonly machine: number;
  /** Of the control group; as large as no memory is: there is none. */
  readonly limit: number;
}

export interface MemoryCap {
  /** 0: none. */
  readonly bytes: number;
  /** Where a cap comes from that is not configured. */
  readonly origin?: string;
}

/** `configured`: GB as in the configuration; 0: a part of what the system has. */
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
