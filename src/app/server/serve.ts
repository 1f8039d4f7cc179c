/** The server from its start to its end. Main thread. */
import { dirname } from "node:path";
import { AuditTrail } from "../../base/audit_trail.ts";
import { FIRST_USER_COMMANDS } from "../../admin/accounts/first_user.ts";
import type { CommandLine } from "../cli/command_line.ts";
import { printLine } from "../cli/output.ts";
import { dropPrivileges } from "../cli/privileges.ts";
import { showRestore } from "../cli/restore_progress.ts";
import { stopSignal } from "../cli/stop_signal.ts";
import { VERSION } from "../cli/version.ts";
import { loadSetup } from "../../config/clusters/load_setup.ts";
import { inGb, memoryCap } from "../../config/settings/memory_cap.ts";
import type { Config } from "../../config/settings/mod.ts";
import type { HttpServer } from "../../http/server.ts";
import { startServer } from "../routes/start.ts";
import { createIdleCollection, LOOK_MS } from "../../base/idle_collection.ts";
import type { Log } from "../../base/log.ts";
import { storeDirectory } from "../../metricstore/persist/filenames.ts";
import { CleanUpDesk } from "./clean_up_requests.ts";
import {
  checkKeys,
  databaseLock,
  holdDirectories,
  tryDirectories,
} from "./directories.ts";
import { type ServerParts, startParts } from "./parts.ts";
import { Reload } from "./reload.ts";
import { createLog } from "./server_log.ts";

/** The stop takes no longer, whatever is still under way. */
const STOP_MS = 5000;
/** How the program ends that has lost a part of itself. */
const FAILURE_STATUS = 1;

/** Resolves when the server has stopped as a signal asked it to. */
export async function serve(
  line: CommandLine & { command: "serve" },
): Promise<void> {
  const stopped = stopSignal();
  const log = createLog(line);
  for (const flag of line.withoutEffect) log.info(`-${flag} has no effect`);
  const setup = loadSetup(line.configFile);
  const { config } = setup;
  for (const { level, message } of setup.notes) log[level](message);
  const locks = await holdDirectories(config, log);
  tryDirectories(config, log);
  checkKeys(config, log);
  const audit = new AuditTrail({ log, file: config.main["audit-log"] });
  const parts = await startParts(
    setup,
    locks,
    log,
    audit,
    () => Deno.exit(FAILURE_STATUS),
  );
  let server: HttpServer | undefined = undefined;
  const reload = new Reload({
    configFile: line.configFile,
    setup,
    engine: parts.engine,
    reconfigure: (main) => server?.reconfigure(main),
    configured: (names) => parts.services.admin.clusters.configure(names),
    log,
  });
  server = await startServer({
    config,
    engine: parts.engine,
    authenticator: parts.authenticator,
    services: { ...parts.services, reload: () => reload.run() },
    log,
    audit,
    dev: line.dev,
    version: VERSION,
  });
  dropPrivileges(
    config.main,
    writtenPaths(config),
    enteredDirectories(config),
  );
  // What was root's to write may not be the other user's.
  if (config.main.user !== "") tryDirectories(config, log);
  const { directory } = config["metric-store"].checkpoints;
  const cleanUps = new CleanUpDesk(directory, parts.engine, log);
  const { bytes, origin } = memoryCap(config["metric-store"]["memory-cap"]);
  if (origin !== undefined) {
    printLine(`metric-store.memory-cap is ${inGb(bytes)}, ${origin}`);
  }
  onHangUp(reload, audit);
  printLine(`ringstore ${VERSION} listening on ${addressOf(config, server)}`);
  const { access, web } = parts.services;
  if (web !== undefined && !web.isOpen && !access.hasUsers) {
    printLine(
      `there is no user yet; this makes an administrator: ${
        FIRST_USER_COMMANDS[0]
      }`,
    );
  }
  showRestore(parts.engine);
  Deno.unrefTimer(setInterval(createIdleCollection(), LOOK_MS));
  log.info("stopping", { signal: await stopped });
  cleanUps.close();
  await stop(server, parts, log, audit);
}

/** SIGHUP: the audit goes on in a new file; what a reload refuses is in the log. */
function onHangUp(reload: Reload, audit: AuditTrail): void {
  Deno.addSignalListener("SIGHUP", () => {
    audit.reopen();
    void reload.run().then(() => auditReload("done"), () => auditReload(400));
  });
  const auditReload = (outcome: "done" | 400) =>
    audit.change({
      what: "reload",
      who: "SIGHUP",
      from: "this machine",
      object: "configuration",
      outcome,
    });
}

/** What the server goes on writing below. */
function writtenPaths(
  { main, archive, "metric-store": store }: Config,
): string[] {
  const samples = store.cleanup.directory;
  const states = main["machine-state-dir"];
  return [
    ...["", "-wal", "-shm"].map((suffix) => main.db + suffix),
    databaseLock({ main }).file,
    storeDirectory(store.checkpoints.directory),
    archive.path,
    ...(main["audit-log"] === "" ? [] : [main["audit-log"]]),
    ...(samples === "" ? [] : [samples]),
    ...(states === "" ? [] : [states]),
  ];
}

/** What it goes through on the way there. */
function enteredDirectories(
  { main, "metric-store": store }: Config,
): string[] {
  return ["./var", dirname(main.db), store.checkpoints.directory];
}

function addressOf({ main }: Config, { host, port }: HttpServer): string {
  const scheme = main["https-cert-file"] === "" ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Requests in flight finish first, as far as there is time. */
async function stop(
  server: HttpServer,
  parts: ServerParts,
  log: Log,
  audit: AuditTrail,
): Promise<void> {
  const late = setTimeout(() => {
    log.warn("stopped before everything was finished");
    Deno.exit(0);
  }, STOP_MS);
  await Promise.all([parts.closeIntake(), server.close()]);
  await parts.close();
  audit.close();
  clearTimeout(late);
}
