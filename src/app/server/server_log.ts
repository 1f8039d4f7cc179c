/** The log of a program that runs for long: to standard error, for systemd or people. */
import type { CommonOptions } from "../cli/command_line.ts";
import { drawStatus } from "../cli/output.ts";
import { Log } from "../../base/log.ts";

export function createLog(line: CommonOptions): Log {
  const isTerminal = Deno.stderr.isTerminal();
  return new Log(
    {
      level: line.logLevel,
      dates: line.logDates,
      priorities: !isTerminal,
    },
    // A line of the log takes the place of a progress line.
    isTerminal ? drawStatus : undefined,
  );
}
