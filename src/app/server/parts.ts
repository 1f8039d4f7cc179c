/**
 * Starts everything behind the HTTP server, in the order in which one needs the other,
 * and ends it in the opposite one. Main thread.
 *
 * database → who may → users → metric store → jobs → NATS → admin API
 */
import { DatabaseUsers } from "../../admin/accounts/database_users.ts";
import { createAccounts } from "../../admin/accounts/start.ts";
import { SHARED_KEY_BYTES } from "../../admin/accounts/token_login.ts";
import { startAdmin } from "../../admin/tenants/start.ts";
import { AccessControl } from "../../access/access_control.ts";
import { EndingCredentials } from "../../access/ending_credentials.ts";
import { IngestRates } from "../../base/ingest_rates.ts";
import { type Authenticator, subscriptionGrant } from "../../access/mod.ts";
import { startAuthentication } from "../../access/start.ts";
import { nowSec } from "../../base/clock.ts";
import type { Setup } from "../../config/clusters/load_setup.ts";
import { engineOptions } from "../../config/settings/mod.ts";
import { isArchiveShared } from "../../config/settings/schema.ts";
import { databaseOptions } from "../../db/database_options.ts";
import { type DatabaseClient, openDatabaseWorker } from "../../db/remote.ts";
import type { StoreEngine } from "../../metricstore/engine/metric_engine.ts";
import { startEngine } from "../../metricstore/coordinator/start_engine.ts";
import type { Services } from "../routes/services.ts";
import { JobArchiveClient } from "../../jobs/archive/job_archive_client.ts";
import { JobEvents } from "../../jobs/lifecycle/event_sink.ts";
import { startJobApi } from "../../jobs/lifecycle/start.ts";
import type { AuditSink } from "../../base/audit_trail.ts";
import type { Log } from "../../base/log.ts";
import { startNats } from "../../nats/nats_service.ts";
import { QueryQueue } from "../../prometheus/api/query_queue.ts";
import { QueryStats } from "../../prometheus/api/query_stats.ts";
import type { PrometheusServices } from "../../prometheus/api/services.ts";
import { startWeb } from "../../web/server/start.ts";
import type { ServerLocks } from "./directories.ts";
import { nodeProvider } from "./used_nodes.ts";

/** One Grafana is one caller with many panels (prometheus-api 15.6). */
const QUERIES_WAITING_MAX = 512;
/** How often it is looked whether tokens in use end before long. */
const ENDINGS_MS = 3_600_000;

export interface ServerParts {
  readonly engine: StoreEngine;
  readonly authenticator: Authenticator;
  readonly services: Omit<Services, "reload">;
  /** Takes no more messages; resolves when those taken are dealt with. */
  closeIntake(): Promise<void>;
  /** Ends the rest, once no request needs it any more. */
  close(): Promise<void>;
}

/** Takes the locks over. `onLost` is called when a thread has died: only a restart helps then. */
export async function startParts(
  setup: Setup,
  locks: ServerLocks,
  log: Log,
  audit: AuditSink,
  onLost: () => void,
): Promise<ServerParts> {
  const { config, clusters, metrics } = setup;
  const database = await openDatabaseWorker(
    databaseOptions(config),
    (reason) => {
      log.crit("the database worker died", { reason });
      onLost();
    },
  );
  const access = await AccessControl.open(
    database,
    log,
    (object) =>
      audit.change({
        what: "database",
        who: "another process",
        from: "this machine",
        object,
        outcome: "done",
      }),
  );
  access.state.openMetrics = config.main["open-metrics"];
  const people = await startPeople(config, database, access, log);
  const { authentication, accounts } = people;
  const engine = await startEngine(
    engineOptions(config, metrics),
    ({ level, message, fields }) => {
      log[level](message, fields);
      // Everything acknowledged is in the log: a restart brings all of it back.
      if (level === "crit") onLost();
    },
    nodeProvider(config, database),
    locks.store,
  );
  const archive = new JobArchiveClient({
    root: config.archive.path,
    validate: config.main.validate,
    keepsGroup: isArchiveShared(config),
  });
  const jobs = startJobApi({
    config,
    tables: database,
    clusters,
    archive,
    engine,
    log,
  });
  database.changed(() => {
    jobs.retryArchive();
    jobs.services.times.forgetAll();
  });
  const subjects = config.main["api-subjects"];
  const ingestRates = new IngestRates();
  const nats = startNats({
    config,
    engine,
    log,
    grantOf: (instance, policy) => {
      const granted = subscriptionGrant(access.state, instance, policy);
      if ("refused" in granted) return granted;
      const record = access.state.instance(granted.scope.instance);
      return { ...granted, rate: record && ingestRates.of(record) };
    },
    jobEvents: subjects &&
      { subjects, sink: new JobEvents(jobs.services, access.state) },
  });
  const prometheus = prometheusServices(config, clusters, engine);
  const admin = await startAdmin({
    config,
    clusters,
    tables: database,
    engine,
    access,
    log,
  });
  return {
    engine,
    authenticator: authentication.authenticator,
    services: {
      access: access.state,
      ingestRates,
      accounts,
      admin,
      jobs: jobs.services,
      jobStatus: jobs.status,
      nats,
      prometheus,
      endings: people.endings,
      web: startWeb({ setup, tables: database, log }),
    },
    closeIntake: () => nats?.close() ?? Promise.resolve(),
    async close() {
      people.close();
      await jobs.close();
      await engine.close();
      await database.close();
      locks.database.release();
      locks.archive?.release();
    },
  };
}

/** What the routes of the Prometheus API need. */
function prometheusServices(
  { prometheus, "metric-store": store }: Setup["config"],
  clusters: Setup["clusters"],
  engine: StoreEngine,
): PrometheusServices {
  return {
    evaluator: engine,
    queue: new QueryQueue(prometheus["max-concurrency"], QUERIES_WAITING_MAX),
    stats: new QueryStats(),
    settings: {
      timeoutMs: prometheus["query-timeout"] * 1000,
      maxSamples: prometheus["max-samples"],
      maxSeries: prometheus["max-series"],
    },
    metricUnits: () =>
      clusters.clusters.flatMap(({ metricConfig }) =>
        metricConfig.map(({ name, unit }) => ({
          name,
          unit: `${unit.prefix ?? ""}${unit.base}`,
        }))
      ),
    startedMs: nowSec() * 1000,
    retentionSec: store["retention-in-memory"],
    seriesCount: () =>
      engine.stats().reduce((sum, { series }) => sum + series, 0),
  };
}

/** Credentials, users and sessions. */
async function startPeople(
  config: Setup["config"],
  database: DatabaseClient,
  access: AccessControl,
  log: Log,
) {
  const endings = new EndingCredentials(log);
  const authentication = await startAuthentication(config, {
    access: access.state,
    refresh: () => access.refresh(),
    revokedSessions: await database.sessions.revoked(nowSec()),
    openSessions: await database.sessions.open(nowSec()),
    endings,
  });
  const { keys } = authentication;
  for (const warning of authentication.warnings) log.warn(warning);
  if (keys?.madeIn !== undefined) {
    log.info("made a key pair for tokens", { directory: keys.madeIn });
  }
  const accounts = await createAccounts({
    config,
    access: access.state,
    authentication,
    store: new DatabaseUsers(database.users),
    settings: database.configuration,
    sessionStore: {
      begin: (session) => database.sessions.begin(session),
      end: (id, sec) => database.sessions.revoke(id, sec),
    },
    changed: () => access.reload(["users"]),
    sharedKey: Deno.env.get("CROSS_LOGIN_JWT_HS512_KEY"),
    issuerKey: Deno.env.get("CROSS_LOGIN_JWT_PUBLIC_KEY"),
  });
  const { sharedKeyBytes } = accounts.tokenLogin;
  if (sharedKeyBytes > 0 && sharedKeyBytes < SHARED_KEY_BYTES) {
    log.warn(
      `CROSS_LOGIN_JWT_HS512_KEY has ${sharedKeyBytes} bytes: HS512 is as strong as ${SHARED_KEY_BYTES}`,
    );
  }
  const ticking = setInterval(() => endings.tick(), ENDINGS_MS);
  Deno.unrefTimer(ticking);
  return {
    authentication,
    accounts,
    endings,
    close: () => clearInterval(ticking),
  };
}
