/** Removes old states of nodes (`main.nodestate-retention`). Main thread. */
import type { Config } from "../../config/settings/mod.ts";
import type { NodeStateRow } from "../../db/node_table.ts";
import type { JobServices } from "./services.ts";

/** Rows taken at a time. */
const BATCH_ROWS = 5000;
const HOUR_SEC = 3600;

type Retention = NonNullable<Config["main"]["nodestate-retention"]>;

/**
 * Deletes states older than the age, or moves them first into a file of the target
 * directory, one JSON object a line. The newest of each node stays.
 */
export async function keepNodeStates(
  { tables }: Pick<JobServices, "tables">,
  retention: Retention,
  nowSec: number,
): Promise<void> {
  const beforeSec = nowSec - retention.age * HOUR_SEC;
  if (retention.policy === "delete") {
    while (
      await tables.nodes.deleteOldStates(beforeSec, BATCH_ROWS) === BATCH_ROWS
    );
    return;
  }
  const file = await openTarget(retention["target-path"] ?? "", nowSec);
  try {
    for (;;) {
      const rows = await tables.nodes.oldStates(beforeSec, BATCH_ROWS);
      await append(file, rows);
      await tables.nodes.deleteStates(rows.map(({ id }) => id));
      if (rows.length < BATCH_ROWS) return;
    }
  } finally {
    file.close();
  }
}

async function openTarget(
  directory: string,
  nowSec: number,
): Promise<Deno.FsFile> {
  await Deno.mkdir(directory, { recursive: true });
  return await Deno.open(`${directory}/nodestate-${nowSec}.jsonl`, {
    create: true,
    append: true,
    mode: 0o600,
  });
}

/** On the device before the rows are deleted. */
async function append(
  file: Deno.FsFile,
  rows: readonly NodeStateRow[],
): Promise<void> {
  const text = rows.map((row) => JSON.stringify(row) + "\n").join("");
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
  await file.syncData();
}
