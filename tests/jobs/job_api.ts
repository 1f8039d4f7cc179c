/**
 * The job API in the test's own process, as the server puts it together: the front
 * door, the three real clusters, a metric store, an archive in a directory of its own,
 * and a database in memory that tests may look into.
 */
import type { AuditedChange } from "../../src/base/audit_trail.ts";
import assert from "node:assert/strict";
import type {
  PolicyRecord,
  UserRecord,
} from "../../src/access/access_records.ts";
import type { AccessState } from "../../src/access/access_state.ts";
import { makeToken } from "../../src/access/admin_token.ts";
import { CredentialAuthenticator } from "../../src/access/authenticator.ts";
import { JwtVerifier } from "../../src/access/jwt.ts";
import type { Keys } from "../../src/access/keys.ts";
import { Sessions } from "../../src/access/sessions.ts";
import { signToken } from "../../src/access/token.ts";
import type { ClusterCatalog } from "../../src/config/clusters/cluster_catalog.ts";
import { storeMetrics } from "../../src/config/clusters/store_metrics.ts";
import { nowSec } from "../../src/base/clock.ts";
import { stringifyExact } from "../../src/base/job_number.ts";
import { loadConfig } from "../../src/config/settings/mod.ts";
import type { RemoteTables } from "../../src/db/remote.ts";
import type {
  MetricEngine,
  StoreEngine,
} from "../../src/metricstore/engine/metric_engine.ts";
import type { HttpServer } from "../../src/http/server.ts";
import { startServer } from "../../src/app/routes/start.ts";
import { JobArchiveClient } from "../../src/jobs/archive/job_archive_client.ts";
import { type JobApi, startJobApi } from "../../src/jobs/lifecycle/start.ts";
import { testAccounts } from "../support/accounts.ts";
import { testAdmin } from "../support/admin.ts";
import { TestClient } from "../support/client.ts";
import { realCatalog } from "../support/clusters.ts";
import { startTestEngine } from "../support/engine.ts";
import { noReload } from "../support/no_jobs.ts";
import { startWeb } from "../../src/web/server/start.ts";
import { memoryTables } from "../support/memory_tables.ts";
import { until } from "../support/nats.ts";

export interface JobApiOptions {
  /** Settings of section `main`. */
  readonly main?: Readonly<Record<string, unknown>>;
  /** Instead of a real store. */
  readonly engine?: MetricEngine;
  /** Instead of the three real ones. */
  readonly clusters?: ClusterCatalog;
  /** Tokens of the admin API by name, each of the policy of that name. */
  readonly policies?: readonly PolicyRecord[];
  readonly users?: readonly UserRecord[];
  /** Roles and projects are those of the users, whatever a token says. */
  readonly validateUser?: boolean;
  /** There are pages, built in this directory or not built; absent: there are none. */
  readonly pages?: URL;
  /** Settings of section `web`. */
  readonly web?: Readonly<Record<string, unknown>>;
  /** Called with the directory of the archive before it is opened. */
  readonly prepare?: (archiveRoot: string) => void | Promise<void>;
}

export interface JobQuestion {
  /**
   * `api`, `admin+api`: roles; `eve:user+api`: of this user; `token:ops`: a token of
   * the policy `ops`; `session:eve`: her login, from a page of ours; null: nobody;
   * absent: `api`.
   */
  readonly as?: string | null;
  /** Sent as JSON; a text or bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JobReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The JSON; throws where the answer is none. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

const EMPTY_METRICS = { defaults: {}, clusters: {} };

/** A whole hour ago, on the grid of every metric. */
export const HOUR_AGO = Math.floor(nowSec() / 60) * 60 - 3600;

/** The smallest job: one node of the cluster `fritz`. */
export function minimalJob(jobId: number, more: object = {}) {
  return {
    ...{ jobId, user: "eve", project: "p1", cluster: "fritz", numNodes: 1 },
    ...{ startTime: HOUR_AGO, resources: [{ hostname: "f0101" }], ...more },
  };
}

export class JobApiServer implements AsyncDisposable {
  readonly tables: RemoteTables;
  readonly engine: MetricEngine;
  readonly access: AccessState;
  readonly archiveRoot: string;
  readonly archive: JobArchiveClient;
  readonly clusters: ClusterCatalog;
  readonly jobs: JobApi;
  /** `level message fields` of what was logged. */
  readonly log: string[];
  /** What the audit was told of changes. */
  readonly changes: AuditedChange[];
  readonly #ownEngine: StoreEngine | undefined;
  readonly #directory: string;
  readonly #http: HttpServer;
  readonly #client: TestClient;
  readonly #keys: Keys;
  readonly #tokens: ReadonlyMap<string, string>;
  readonly #sessions: Sessions;

  private constructor(parts: {
    readonly tables: RemoteTables;
    readonly engine: MetricEngine;
    readonly access: AccessState;
    readonly ownEngine: StoreEngine | undefined;
    readonly archive: JobArchiveClient;
    readonly clusters: ClusterCatalog;
    readonly jobs: JobApi;
    readonly log: string[];
    readonly changes: AuditedChange[];
    readonly directory: string;
    readonly http: HttpServer;
    readonly keys: Keys;
    readonly tokens: ReadonlyMap<string, string>;
    readonly sessions: Sessions;
  }) {
    this.tables = parts.tables;
    this.engine = parts.engine;
    this.access = parts.access;
    this.archive = parts.archive;
    this.clusters = parts.clusters;
    this.jobs = parts.jobs;
    this.log = parts.log;
    this.changes = parts.changes;
    this.archiveRoot = archiveRoot(parts.directory);
    this.#ownEngine = parts.ownEngine;
    this.#directory = parts.directory;
    this.#http = parts.http;
    this.#client = new TestClient(`http://127.0.0.1:${parts.http.port}`);
    this.#keys = parts.keys;
    this.#tokens = parts.tokens;
    this.#sessions = parts.sessions;
  }

  static async start(options: JobApiOptions = {}): Promise<JobApiServer> {
    const directory = await Deno.makeTempDir({ prefix: "ringstore-jobs-" });
    const config = await configIn(directory, options.main, options.web);
    const tables = memoryTables();
    const clusters = options.clusters ?? realCatalog();
    const ownEngine = options.engine === undefined
      ? await startTestEngine({
        shards: 1,
        metrics: storeMetrics({ metrics: {}, clusters: {} }, clusters).metrics,
      })
      : undefined;
    const engine = options.engine ?? ownEngine!;
    await options.prepare?.(archiveRoot(directory));
    const archive = await JobArchiveClient.open({
      root: archiveRoot(directory),
      validate: config.main.validate,
    });
    const log: string[] = [];
    const changes: AuditedChange[] = [];
    const note = (level: string) =>
    (
      message: string,
      fields: Record<string, unknown> = {},
    ) => void log.push(`${level} ${message} ${stringifyExact(fields)}`);
    const jobs = startJobApi({
      ...{ config, tables, clusters, archive, engine },
      log: { info: note("info"), warn: note("warn"), err: note("err") },
    });
    const { policies = [], users = [] } = options;
    const made = policies.map(({ name }) => ({ name, ...makeToken(name) }));
    const { access, accounts, keys } = await testAccounts({
      noticeFile: `${directory}/notice.txt`,
      records: {
        policies,
        users,
        tokens: made.map(({ name, secretHash }) => ({
          ...{ name, active: true, policy: name, secretHash },
          expiresSec: Infinity,
        })),
      },
    });
    const sessions = new Sessions({
      ...{ key: new Uint8Array(32).fill(3), maxAgeSec: 3600, access },
    });
    const http = await startServer({
      config,
      engine,
      authenticator: new CredentialAuthenticator({
        verifier: new JwtVerifier(keys.publicKey.key),
        access,
        sessions,
        validateUser: options.validateUser ?? false,
        refresh: () => Promise.resolve(),
      }),
      services: {
        access,
        accounts,
        admin: await testAdmin({ engine, tables }),
        jobs: jobs.services,
        jobStatus: jobs.status,
        reload: noReload,
        web: options.pages && startWeb({
          setup: { config, metrics: EMPTY_METRICS },
          tables,
          log: { err: note("err") },
          directory: options.pages,
        }),
      },
      log: { info: note("info"), warn: note("warn"), err: note("err") },
      audit: {
        change: (change) => void changes.push(change),
        refused() {},
      },
      dev: false,
      version: "0.0.0-test",
    });
    const tokens = new Map(made.map(({ name, text }) => [name, text]));
    return new JobApiServer({
      access,
      ...{ tables, engine, ownEngine, archive, clusters, jobs, log },
      ...{ changes, directory, http, keys, tokens, sessions },
    });
  }

  get port(): number {
    return this.#http.port;
  }

  /** Headers of a request by session from a page of this server. */
  sessionHeaders(username: string): Record<string, string> {
    const user = this.access.user(username);
    assert.ok(user, `there is no user ${username}`);
    const { cookie } = this.#sessions.create({ user, from: "127.0.0.1" });
    return {
      "Cookie": `session=${cookie}`,
      "Origin": `http://127.0.0.1:${this.port}`,
      "Content-Type": "application/json",
    };
  }

  async ask(
    method: string,
    path: string,
    question: JobQuestion = {},
  ): Promise<JobReply> {
    const { as = "api", body } = question;
    const session = as === null ? undefined : /^session:(.+)$/.exec(as)?.[1];
    const headers = {
      ...(session === undefined ? {} : this.sessionHeaders(session)),
      ...question.headers,
    };
    const isRaw = body === undefined || typeof body === "string" ||
      body instanceof Uint8Array;
    const answer = await this.#client.send({
      method,
      path,
      headers,
      body: isRaw ? body : JSON.stringify(body),
      authorization: as === null || session !== undefined
        ? headers["Authorization"] ?? null
        : `Bearer ${await this.tokenOf(as)}`,
    });
    return {
      ...answer,
      get json() {
        return JSON.parse(answer.text);
      },
    };
  }

  /** The token of a caller, as questions name it. */
  async tokenOf(as: string): Promise<string> {
    const [user = "", words = ""] = as.includes(":")
      ? as.split(":")
      : ["bot", as];
    if (user === "token") return this.#tokens.get(words) ?? "";
    const roles = words === "" ? [] : words.split("+");
    return await signToken(this.#keys, { user, roles, maxAgeSec: 3600 });
  }

  /** Demands a status and gives the answer. */
  async expect(
    status: number,
    method: string,
    path: string,
    question: JobQuestion = {},
  ): Promise<JobReply> {
    const answer = await this.ask(method, path, question);
    assert.equal(
      answer.status,
      status,
      `${method} ${path} ${JSON.stringify(question)}: ${answer.text}`,
    );
    return answer;
  }

  /** Starts a job; gives its database id. */
  async startJob(job: { jobId: number; cluster: string }): Promise<number> {
    await this.expect(201, "POST", "/api/jobs/start_job/", { body: job });
    const { jobId, cluster } = job;
    const row = await this.tables.jobs.findByKey({ jobId, cluster });
    assert.ok(row);
    return row.id;
  }

  /** Stops a job and waits until what is to become of it has become. */
  async stopAndArchive(
    id: number,
    stopTime: number,
    jobState = "completed",
  ): Promise<void> {
    const { jobId, cluster } = (await this.tables.jobs.get(id))!;
    await this.expect(200, "POST", "/api/jobs/stop_job/", {
      body: { jobId, cluster, jobState, stopTime },
    });
    await this.untilArchived(id);
  }

  async untilArchived(id: number): Promise<void> {
    await until("archived job", async () => {
      const job = await this.tables.jobs.get(id);
      return job?.monitoringStatus === 1 ? undefined : true;
    });
  }

  /** Samples by line protocol. */
  async write(lines: readonly string[]): Promise<void> {
    await this.expect(200, "POST", "/api/write", { body: lines.join("\n") });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#http.close();
    await this.jobs.close();
    await this.#ownEngine?.close();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function archiveRoot(directory: string): string {
  return `${directory}/job-archive`;
}

async function configIn(
  directory: string,
  main: Readonly<Record<string, unknown>> = {},
  web: Readonly<Record<string, unknown>> = {},
) {
  const file = `${directory}/config.json`;
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      main: {
        addr: "127.0.0.1:0",
        db: `${directory}/job.db`,
        "machine-state-dir": `${directory}/machines`,
        ...main,
      },
      metrics: {},
      "metric-store": { "retention-in-memory": "48h", "memory-cap": 1 },
      archive: { path: archiveRoot(directory) },
      web,
    }),
  );
  return loadConfig(file).config;
}
