/** Does what a running server does every `cleanup.interval`, once, and ends. */
import type { CommonOptions } from "../cli/command_line.ts";
import { printLine } from "../cli/output.ts";
import { loadSetup } from "../cluster/load_setup.ts";
import { engineOptions } from "../config/mod.ts";
import { openDatabase } from "../db/database.ts";
import { databaseOptions } from "../db/database_options.ts";
import { localTable } from "../db/local_table.ts";
import { startEngine } from "../engine/sharded_engine.ts";
import { createLog } from "./server_log.ts";
import { nodeProvider } from "./used_nodes.ts";

/** Rejects when not everything could be cleaned up; the log says what. */
export async function cleanUp(line: CommonOptions): Promise<void> {
  const log = createLog(line);
  const { config, metrics, notes } = loadSetup(line.configFile);
  for (const { level, message } of notes) log[level](message);
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
  );
  try {
    await engine.cleanUp();
  } finally {
    await engine.close();
  }
  if (problems > 0) throw new Error("not everything could be cleaned up");
  const rows = engine.archive?.rowsTotal;
  printLine(rows === undefined ? "cleaned up" : `archived ${rows} samples`);
}
