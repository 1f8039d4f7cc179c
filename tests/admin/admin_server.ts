/**
 * The front door with its real control plane (a database on disk in its worker,
 * credentials as the server checks them), before a fake engine.
 */
import { AccessControl } from "../../src/access/access_control.ts";
import { makeToken } from "../../src/access/admin_token.ts";
import { CredentialAuthenticator } from "../../src/access/authenticator.ts";
import { JwtVerifier } from "../../src/access/jwt.ts";
import type { Keys } from "../../src/access/keys.ts";
import { Sessions } from "../../src/access/sessions.ts";
import { signToken } from "../../src/access/token.ts";
import type { DatabaseTables } from "../../src/db/database.ts";
import {
  type DatabaseClient,
  openDatabaseWorker,
} from "../../src/db/remote.ts";
import type { HttpServer } from "../../src/http/server.ts";
import { startServer } from "../../src/app/routes/start.ts";
import { TemporaryDatabase } from "../../src/db/_fixture.ts";
import type { JobServices } from "../../src/jobs/lifecycle/services.ts";
import { FakeEngine } from "../http/fake_engine.ts";
import { testAccounts } from "../support/accounts.ts";
import { testAdmin } from "../support/admin.ts";
import { testJobs } from "../support/jobs.ts";
import { noJobs, noReload } from "../support/no_jobs.ts";
import { type HttpAnswer, TestClient } from "../support/client.ts";

export const API = "/admin/api/v1";

export interface AdminServerOptions {
  readonly licenceDirectory?: string;
  /** Unix seconds; what expires by it is tokens. */
  readonly now?: () => number;
  /** The job API works, without jobs. */
  readonly withJobs?: boolean;
}

export interface AdminQuestion {
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole `Authorization`; `null`: none; absent: a token of `__admin__`. */
  readonly authorization?: string | null;
}

/** What a test looks into without checking every step of the way. */
type Json = ReturnType<typeof JSON.parse>;

export interface AdminAnswer extends HttpAnswer {
  /** `undefined` for an empty body. */
  readonly json: Json;
}

/** Clusters `emmy` and `fritz` are configured, `woody` has samples. */
export class AdminServer implements AsyncDisposable {
  readonly engine: FakeEngine;
  readonly keys: Keys;
  readonly access: AccessControl;
  readonly sessions: Sessions;
  readonly adminToken: string;
  /** Another process on the same database. */
  readonly otherProcess: DatabaseTables;
  readonly problems: string[];
  readonly log: string[];
  readonly client: TestClient;
  readonly #database: TemporaryDatabase;
  readonly #remote: DatabaseClient;
  readonly #server: HttpServer;
  readonly #jobs: JobServices | undefined;

  private constructor(
    parts: Pick<
      AdminServer,
      | "engine"
      | "keys"
      | "access"
      | "sessions"
      | "adminToken"
      | "problems"
      | "log"
    >,
    database: TemporaryDatabase,
    remote: DatabaseClient,
    server: HttpServer,
    jobs: JobServices | undefined,
  ) {
    this.#jobs = jobs;
    this.engine = parts.engine;
    this.keys = parts.keys;
    this.access = parts.access;
    this.sessions = parts.sessions;
    this.adminToken = parts.adminToken;
    this.problems = parts.problems;
    this.log = parts.log;
    this.otherProcess = database.open().tables;
    this.#database = database;
    this.#remote = remote;
    this.#server = server;
    this.client = new TestClient(`http://127.0.0.1:${server.port}`);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  static async start(options: AdminServerOptions = {}): Promise<AdminServer> {
    const database = new TemporaryDatabase();
    const problems: string[] = [];
    const log: string[] = [];
    const remote = await openDatabaseWorker(
      database.options,
      (reason) => void problems.push(reason),
    );
    const { text, secretHash } = makeToken("root");
    await remote.tokens.create({
      name: "root",
      displayName: "root",
      secretSha256: secretHash,
      accessPolicy: "__admin__",
      expiration: null,
    });
    const access = await AccessControl.open(remote, {
      err: (message) => void problems.push(message),
      warn() {},
    });
    const engine = new FakeEngine();
    engine.clusters.note(0, "woody", true);
    const admin = await testAdmin({
      engine,
      tables: remote,
      configured: ["fritz", "emmy"],
      applied: (tables) => access.reload(tables),
      licenceDirectory: options.licenceDirectory ?? "",
      problems,
    });
    const jobs = options.withJobs
      ? await testJobs({
        tables: remote,
        engine,
        directory: database.directory,
      })
      : noJobs();
    const { accounts, keys } = await testAccounts({
      noticeFile: `${database.directory}/notice.txt`,
    });
    const now = options.now === undefined ? {} : { now: options.now };
    const sessions = new Sessions({
      key: new Uint8Array(32).fill(3),
      maxAgeSec: 3600,
      access: access.state,
    });
    const record = (level: string) =>
    (
      message: string,
      fields: Record<string, unknown> = {},
    ) => void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const server = await startServer({
      config: {
        main: {
          addr: { host: "127.0.0.1", port: 0 },
          "https-cert-file": "",
          "https-key-file": "",
          "max-body-size": 64 << 20,
          "max-inflated-size": 64 << 20,
          "max-in-flight": 64 << 20,
          "metrics-public": false,
          "trusted-proxies": [],
          "api-allowed-ips": [],
        },
      },
      engine,
      authenticator: new CredentialAuthenticator({
        verifier: new JwtVerifier(keys.publicKey.key),
        access: access.state,
        sessions,
        validateUser: false,
        refresh: () => access.refresh(),
        ...now,
      }),
      services: {
        access: access.state,
        accounts,
        admin,
        jobs,
        reload: noReload,
      },
      log: {
        info: record("info"),
        warn: record("warn"),
        err: record("err"),
      },
      audit: {
        change: (change) => record("audit")("changed", { ...change }),
        refused: (refusal) => record("audit")("access refused", { ...refusal }),
      },
      dev: false,
      version: "0.0.0-test",
    });
    return new AdminServer(
      { engine, keys, access, sessions, adminToken: text, problems, log },
      database,
      remote,
      server,
      options.withJobs ? jobs : undefined,
    );
  }

  /** Asks below `/admin/api/v1`, over one connection that is kept alive. */
  async ask(
    method: string,
    path: string,
    question: AdminQuestion = {},
  ): Promise<AdminAnswer> {
    const { body, headers = {}, authorization } = question;
    const answer = await this.client.send({
      method,
      path: path.startsWith("/api/") ? path : API + path,
      body: typeof body === "string" || body === undefined
        ? body
        : JSON.stringify(body),
      headers,
      authorization: authorization === undefined
        ? basic(this.adminToken)
        : authorization,
    });
    return {
      ...answer,
      json: answer.text.startsWith("{") ? JSON.parse(answer.text) : undefined,
    };
  }

  /** Makes a resource; anything but 201 fails. */
  async make(collection: string, value: unknown): Promise<Json> {
    const answer = await this.ask("POST", `/${collection}`, { body: value });
    if (answer.status === 201) return answer.json;
    throw new Error(`${collection}: ${answer.status} ${answer.text}`);
  }

  /** A policy of that name and a token of it; the token as it is sent. */
  async makeToken(name: string, policy: object): Promise<string> {
    await this.make("accesspolicies", { name, ...policy });
    const token = await this.make("tokens", { name, access_policy: name });
    return token.token;
  }

  /** A JWT of a user with these roles. */
  jwt(...roles: string[]): Promise<string> {
    return signToken(this.keys, { user: "eve", roles, maxAgeSec: 3600 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.#server.close();
    await this.#jobs?.archive.close();
    this.access.close();
    await this.#remote.close();
    this.#database[Symbol.dispose]();
  }
}

/** `Authorization` with a token as the password, as `curl -u user:token` sends it. */
export function basic(token: string, user = ""): string {
  return `Basic ${btoa(`${user}:${token}`)}`;
}
