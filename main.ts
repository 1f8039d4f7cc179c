/**
 * The program: reads the command line and does what it says. Ends with 0, with 2
 * where the command line is not understood, else with 1.
 */
import { runArchiveCommand } from "./src/app/cli/archive_commands.ts";
import {
  printArchiveStatus,
  retryArchive,
} from "./src/app/cli/archive_queue_commands.ts";
import {
  type CommandLine,
  parseCommandLine,
  usage,
} from "./src/app/cli/command_line.ts";
import { UsageError } from "./src/app/cli/flags.ts";
import { printKeyPair, printToken } from "./src/app/cli/key_commands.ts";
import { printError, printLine } from "./src/app/cli/output.ts";
import { runPublish } from "./src/app/cli/publish_command.ts";
import { generateToken } from "./src/app/cli/tokengen_command.ts";
import {
  printEstimate,
  runExport,
  runImport,
} from "./src/app/cli/transfer_commands.ts";
import {
  migrateDatabase,
  runUserCommand,
} from "./src/app/cli/user_commands.ts";
import { versionText } from "./src/app/cli/version.ts";
import { errorText } from "./src/base/log.ts";
import { cleanUp } from "./src/app/server/clean_up.ts";
import { serve } from "./src/app/server/serve.ts";

const USAGE_STATUS = 2;
const FAILURE_STATUS = 1;

/** Commands that make files of the server; the others write what the user asked for. */
const KEEPS_FILES: readonly CommandLine["command"][] = [
  "serve",
  "clean-up",
  "migrate-db",
  "tokengen",
  "user-add",
  "user-del",
  "user-list",
  "archive-import",
  "archive-verify",
  "archive-init-db",
  "archive-status",
  "archive-retry",
];
/** Log, database, archive and keys are their owner's alone. */
const OWNER_ONLY = 0o077;

async function run(line: CommandLine): Promise<void> {
  if (KEEPS_FILES.includes(line.command)) Deno.umask(OWNER_ONLY);
  switch (line.command) {
    case "help":
      return printLine(usage(line.about));
    case "version":
      return printLine(versionText());
    case "gen-keypair":
      return await printKeyPair();
    case "token":
      return await printToken(line);
    case "tokengen":
      return generateToken(line);
    case "import":
      return await runImport(line);
    case "export":
      return await runExport(line);
    case "estimate":
      return printEstimate(line);
    case "publish":
      return await runPublish(line);
    case "user-add":
    case "user-del":
    case "user-password":
    case "user-roles":
    case "user-list":
      return await runUserCommand(line);
    case "archive-import":
    case "archive-verify":
    case "archive-init-db":
      return await runArchiveCommand(line);
    case "archive-status":
      return printArchiveStatus(line);
    case "archive-retry":
      return retryArchive(line);
    case "migrate-db":
      return migrateDatabase(line);
    case "clean-up":
      return await cleanUp(line);
    case "serve":
      return await serve(line);
  }
}

async function main(): Promise<number> {
  try {
    await run(parseCommandLine(Deno.args));
    return 0;
  } catch (error) {
    const usageError = error instanceof UsageError;
    const hint = usageError ? " (see: ringstore help)" : "";
    printError(`ringstore: ${errorText(error)}${hint}`);
    return usageError ? USAGE_STATUS : FAILURE_STATUS;
  }
}

if (import.meta.main) Deno.exit(await main());
