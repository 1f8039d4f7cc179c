/**
 * Does what a running server does every `cleanup.interval`, once, and ends. Where a
 * server runs on the same directory, that server does it: two processes never write
 * to one log.
 */
import type { CommonOptions } from "../cli/command_line.ts";
import { printLine } from "../cli/output.ts";
import { monotonicMs } from "../../base/clock.ts";
import { loadSetup, type Setup } from "../../config/clusters/load_setup.ts";
import { engineOptions } from "../../config/settings/mod.ts";
import { openDatabase } from "../../db/database.ts";
import { databaseOptions } from "../../db/database_options.ts";
import { localTable } from "../../db/local_table.ts";
import { startEngine } from "../../metricstore/coordinator/start_engine.ts";
import { storeLock } from "../../metricstore/coordinator/store_layouts.ts";
import type { Log } from "../../base/log.ts";
import {
  type HeldLock,
  tryHold,
} from "../../metricstore/persist/directory_lock.ts";
import {
  type CleanUpAnswer,
  cleanUpEngine,
  CleanUpRequest,
} from "./clean_up_requests.ts";
import { createLog } from "./server_log.ts";
import { nodeProvider } from "./used_nodes.ts";

/** How long a running server may take. */
const ANSWER_MS = 60_000;
const LOOK_MS = 200;

/** Rejects when not everything could be cleaned up; the log says what. */
export async function cleanUp(line: CommonOptions): Promise<void> {
  const log = createLog(line);
  const setup = loadSetup(line.configFile);
  for (const { level, message } of setup.notes) log[level](message);
  const { directory } = setup.config["metric-store"].checkpoints;
  const found = tryHold(storeLock(directory)) ??
    await askServer(directory, ANSWER_MS);
  const answer = "isOk" in found ? found : await cleanUpHere(setup, log, found);
  if (!answer.isOk) throw new Error(answer.message);
  printLine(answer.message);
}

/**
 * The answer of the server that works in a directory, or the lock when that process
 * has ended meanwhile. Rejects when there is neither within `answerMs`.
 */
export async function askServer(
  directory: string,
  answerMs: number,
): Promise<CleanUpAnswer | HeldLock> {
  const request = new CleanUpRequest(directory);
  try {
    const deadline = monotonicMs() + answerMs;
    while (monotonicMs() < deadline) {
      const found = request.answer() ?? tryHold(storeLock(directory));
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    request.end();
  }
  throw new Error(
    `the process that works in ${directory} has not answered within ` +
      `${answerMs / 1000} s; it may still be cleaning up`,
  );
}

/** With the directory to ourselves. */
async function cleanUpHere(
  { config, metrics }: Setup,
  log: Log,
  lock: HeldLock,
): Promise<CleanUpAnswer> {
  const { persistence, ...options } = engineOptions(config, metrics);
  using database = openDatabase(databaseOptions(config));
  let problems = 0;
  const engine = await startEngine(
    {
      ...options,
      persistence: persistence && { ...persistence, onlyCleanUp: true },
    },
    ({ level, message, fields }) => {
      log[level](message, fields);
      if (level === "err" || level === "crit") problems++;
    },
    nodeProvider(config, { jobs: localTable(database.tables.jobs) }),
    lock,
  );
  let answer: CleanUpAnswer;
  try {
    // The engine may have begun by itself.
    answer = await cleanUpEngine(engine, 0);
  } finally {
    await engine.close();
  }
  return problems > 0 && answer.isOk
    ? { isOk: false, message: "not everything could be cleaned up" }
    : answer;
}
