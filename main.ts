/**
 * Wiring only: arguments, configuration, log, keys, engine, HTTP, signals. Ends
 * with 0, with 2 where the command line is not understood, else with 1.
 */
import { runArchiveCommand } from "./src/cli/archive_commands.ts";
import { createAccounts } from "./src/accounts/start.ts";
import { DatabaseUsers } from "./src/accounts/database_users.ts";
import { startAdmin } from "./src/admin/start.ts";
import { AccessControl } from "./src/auth/access_control.ts";
import { subscriptionGrant } from "./src/auth/mod.ts";
import { startAuthentication } from "./src/auth/start.ts";
import {
  type CommandLine,
  parseCommandLine,
  usage,
} from "./src/cli/command_line.ts";
import { UsageError } from "./src/cli/flags.ts";
import { printKeyPair, printToken } from "./src/cli/key_commands.ts";
import { drawStatus, printError, printLine } from "./src/cli/output.ts";
import { dropPrivileges } from "./src/cli/privileges.ts";
import { showRestore } from "./src/cli/restore_progress.ts";
import { runPublish } from "./src/cli/publish_command.ts";
import { stopSignal } from "./src/cli/stop_signal.ts";
import {
  printEstimate,
  runExport,
  runImport,
} from "./src/cli/transfer_commands.ts";
import { generateToken } from "./src/cli/tokengen_command.ts";
import { migrateDatabase, runUserCommand } from "./src/cli/user_commands.ts";
import { VERSION, versionText } from "./src/cli/version.ts";
import { nowSec } from "./src/clock.ts";
import { loadSetup } from "./src/cluster/load_setup.ts";
import { type Config, engineOptions } from "./src/config/mod.ts";
import { databaseOptions } from "./src/db/database_options.ts";
import { type DatabaseClient, openDatabaseWorker } from "./src/db/remote.ts";
import type { MetricEngine } from "./src/engine/metric_engine.ts";
import { BackendNodes, type NodeProvider } from "./src/engine/node_provider.ts";
import { JobArchiveClient } from "./src/jobarchive/job_archive_client.ts";
import { startJobApi } from "./src/jobs/start.ts";
import { startEngine } from "./src/engine/sharded_engine.ts";
import { type HttpServer, startHttp } from "./src/http/server.ts";
import { type NatsService, startNats } from "./src/nats/nats_service.ts";
import { errorText, Log } from "./src/log.ts";
import { storeDirectory } from "./src/persist/filenames.ts";

const USAGE_STATUS = 2;
const FAILURE_STATUS = 1;

/** The stop takes no longer, whatever is still under way. */
const STOP_MS = 5000;

async function run(line: CommandLine): Promise<void> {
  switch (line.command) {
    case "help":
      return printLine(usage());
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
    case "user-list":
      return await runUserCommand(line);
    case "archive-import":
    case "archive-verify":
    case "archive-init-db":
      return runArchiveCommand(line);
    case "migrate-db":
      return migrateDatabase(line);
    case "clean-up":
      return await cleanUp(line);
    case "serve":
      return await serve(line);
  }
}

/** Does what a running server does every `cleanup.interval`, once, and ends. */
async function cleanUp(line: CommandLine): Promise<void> {
  const log = createLog(line);
  const { config, metrics, notes } = loadSetup(line.configFile);
  for (const { level, message } of notes) log[level](message);
  const { persistence, ...options } = engineOptions(config, metrics);
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
    nodeProvider(config),
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

async function serve(line: CommandLine & { command: "serve" }): Promise<void> {
  const stopped = stopSignal();
  const log = createLog(line);
  for (const flag of line.withoutEffect) log.info(`-${flag} has no effect`);
  const { config, clusters, metrics, notes } = loadSetup(line.configFile);
  for (const { level, message } of notes) log[level](message);
  const database = await openDatabaseWorker(
    databaseOptions(config),
    (reason) => {
      log.crit("the database worker died", { reason });
      Deno.exit(FAILURE_STATUS);
    },
  );
  const access = await AccessControl.open(database, log);
  const authentication = await startAuthentication(config, {
    access: access.state,
    refresh: () => access.refresh(),
    revokedSessions: await database.sessions.revoked(nowSec()),
  });
  const { keys } = authentication;
  if (keys?.madeIn !== undefined) {
    log.info("made a key pair for tokens", { directory: keys.madeIn });
  }
  const accounts = await createAccounts({
    config,
    access: access.state,
    authentication,
    store: new DatabaseUsers(database.users),
    settings: database.configuration,
    revokedSessions: { add: (id, sec) => database.sessions.revoke(id, sec) },
    changed: () => access.reload(["users"]),
    sharedKey: Deno.env.get("CROSS_LOGIN_JWT_HS512_KEY"),
    issuerKey: Deno.env.get("CROSS_LOGIN_JWT_PUBLIC_KEY"),
  });
  const engine = await startEngine(
    engineOptions(config, metrics),
    ({ level, message, fields }) => {
      log[level](message, fields);
      // Everything acknowledged is in the log: a restart brings all of it back.
      if (level === "crit") Deno.exit(FAILURE_STATUS);
    },
    nodeProvider(config) ?? ownNodes(database),
  );
  const jobs = startJobApi({
    config,
    tables: database,
    clusters,
    archive: await JobArchiveClient.open({
      root: config.archive.path,
      validate: config.main.validate,
    }),
    engine,
    log,
  });
  const nats = startNats({
    config,
    engine,
    log,
    grantOf: (instance, policy) =>
      subscriptionGrant(access.state, instance, policy),
  });
  const admin = await startAdmin({
    config,
    clusters,
    tables: database,
    engine,
    access,
    log,
  });
  const server = await startHttp({
    config,
    engine,
    authenticator: authentication.authenticator,
    services: {
      access: access.state,
      accounts,
      admin,
      jobs: jobs.services,
      nats,
    },
    log,
    dev: line.dev,
    version: VERSION,
  });
  dropPrivileges(config.main, writtenPaths(config));
  printLine(`ringstore ${VERSION} listening on ${addressOf(config, server)}`);
  showRestore(engine);
  log.info("stopping", { signal: await stopped });
  await stop(server, engine, database, nats, log);
}

/** Nodes of running jobs, as our own job API knows them. */
function ownNodes({ jobs }: DatabaseClient): NodeProvider {
  return {
    async usedNodes(tsSec) {
      const nodes = await jobs.usedNodes(tsSec);
      return new Map(
        [...nodes].map(([cluster, hosts]) => [cluster, new Set(hosts)]),
      );
    },
  };
}

/** Who else knows the nodes of running jobs; `undefined`: nobody. */
function nodeProvider({ main }: Config): NodeProvider | undefined {
  const url = main["backend-url"];
  return url === ""
    ? undefined
    : new BackendNodes({ url, token: main["backend-token"] });
}

/** What the server goes on writing below. */
function writtenPaths({ main, "metric-store": store }: Config): string[] {
  const archive = store.cleanup.directory;
  return [
    ...["", "-wal", "-shm"].map((suffix) => main.db + suffix),
    storeDirectory(store.checkpoints.directory),
    ...(archive === "" ? [] : [archive]),
  ];
}

function createLog(line: CommandLine): Log {
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

function addressOf({ main }: Config, { host, port }: HttpServer): string {
  const scheme = main["https-cert-file"] === "" ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Requests in flight finish first, as far as there is time. */
async function stop(
  server: HttpServer,
  engine: MetricEngine,
  database: DatabaseClient,
  nats: NatsService | undefined,
  log: Log,
): Promise<void> {
  const late = setTimeout(() => {
    log.warn("stopped before everything was finished");
    Deno.exit(0);
  }, STOP_MS);
  await Promise.all([nats?.close(), server.close()]);
  await engine.close();
  await database.close();
  clearTimeout(late);
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
