/**
 * `archive status` and `archive retry`: the jobs that wait to be archived. In the
 * database, whether or not a server runs on it; a running one notices within a
 * second.
 */
import { nowSec } from "../../base/clock.ts";
import { type Config, loadConfig } from "../../config/settings/mod.ts";
import type { QueuedJob } from "../../db/archive_queue_table.ts";
import { openDatabase } from "../../db/database.ts";
import { databaseOptions } from "../../db/database_options.ts";
import type { CommonOptions } from "./command_line.ts";
import { printLine } from "./output.ts";

/** Failing jobs that are shown. */
const SHOWN_JOBS = 20;
/** Waiting jobs read at a time. */
const BATCH_JOBS = 500;

export function printArchiveStatus(line: CommonOptions): void {
  const { config } = loadConfig(line.configFile);
  using database = openDatabase(databaseOptions(config));
  const { archiveQueue } = database.tables;
  const { waiting, failing, oldestSince } = archiveQueue.counts();
  printLine(
    waiting === 0
      ? "no job waits to be archived"
      : `${waiting} jobs wait to be archived, the oldest since ${
        timeOf(oldestSince)
      }`,
  );
  let shown = 0;
  let after: QueuedJob | undefined;
  while (shown < Math.min(failing, SHOWN_JOBS)) {
    const page = archiveQueue.waiting(BATCH_JOBS, after);
    after = page.at(-1);
    if (after === undefined) break;
    for (const queued of page) {
      if (queued.problem === "" || shown === SHOWN_JOBS) continue;
      printLine(`  ${describe(queued)}`);
      shown++;
    }
  }
  if (failing > shown) printLine(`  and ${failing - shown} others that failed`);
  const givenUp = archiveQueue.givenUp();
  if (givenUp > 0) {
    printLine(`${givenUp} jobs were given up (monitoring status 2)`);
  }
}

export function retryArchive(line: CommonOptions): void {
  const { config } = loadConfig(line.configFile);
  using database = openDatabase(databaseOptions(config));
  const { archiveQueue } = database.tables;
  const now = nowSec();
  const due = archiveQueue.retryNow();
  const again = archiveQueue.takeUpAgain(oldestSec(config, now), now);
  const gone = archiveQueue.givenUp();
  printLine(`${due} jobs that failed are tried again now`);
  printLine(`${again} jobs that were given up wait to be archived again`);
  if (gone > 0) {
    printLine(
      `${gone} jobs stay given up: the store has their samples no more`,
    );
  }
}

/** Samples before that are not in the store any more. */
function oldestSec({ "metric-store": store }: Config, now: number): number {
  const retentionSec = store["retention-in-memory"];
  return retentionSec === 0 ? 0 : now - retentionSec;
}

function describe({ job, attempts, retryAt, problem }: QueuedJob): string {
  const next = retryAt <= nowSec() ? "next now" : `next at ${timeOf(retryAt)}`;
  return `job ${job.jobId} of ${job.cluster}, started ${
    timeOf(job.startTime)
  }: ${attempts} attempts, ${next}: ${problem}`;
}

/** Unix seconds as people read them. */
function timeOf(sec: number): string {
  return new Date(sec * 1000).toISOString().replace(".000", "");
}
