/** What a result was measured with: commit, machine, versions. */
import { cpus, totalmem } from "node:os";
import { nowSec } from "../../src/base/clock.ts";
import { ROOT } from "../../tests/support/server.ts";

export interface RunDescription {
  /** Short hash, with `+` when the checkout had changes. */
  readonly commit: string;
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly deno: string;
}

export async function describeRun(): Promise<RunDescription> {
  const commit = await git("rev-parse", "--short", "HEAD");
  const changes = await git("status", "--porcelain");
  return {
    commit: changes === "" ? commit : `${commit}+`,
    date: new Date(nowSec() * 1000).toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "unknown CPU",
    cores: navigator.hardwareConcurrency,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    deno: Deno.version.deno,
  };
}

/**
 * Resident memory of a process, shared pages included. Through `cat`, because
 * reading `/proc` takes a permission that nothing else here needs.
 */
export async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
  }).output();
  const status = new TextDecoder().decode(stdout);
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** What git prints; a word instead where there is no repository or no git. */
async function git(...args: string[]): Promise<string> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", ROOT, ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/** Clock ticks a second in /proc, on every Linux. */
const TICKS_PER_SEC = 100;

/** Seconds of processor time that all threads of a process used so far; by `cat`, as above. */
export async function processorSec(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/stat`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  // Behind the name, which may hold anything: state is the third field.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}
