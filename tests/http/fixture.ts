/** The HTTP server alone, on a free port, before a fake engine; and raw sockets to it. */
import type { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { InstanceRecord } from "../../src/access/access_records.ts";
import { findCredential } from "../../src/access/credentials.ts";
import {
  type AccessState,
  type Principal,
  type RequestHeaders,
  type Role,
  UserPrincipal,
} from "../../src/access/mod.ts";
import { ClientError } from "../../src/base/errors.ts";
import type { HttpLimits } from "../../src/http/limits.ts";
import type { HttpServer } from "../../src/http/server.ts";
import { startServer } from "../../src/app/routes/start.ts";
import { type TestAccounts, testAccounts } from "../support/accounts.ts";
import { testAdmin } from "../support/admin.ts";
import { type HttpAnswer, TestClient } from "../support/client.ts";
import { noJobs, noReload } from "../support/no_jobs.ts";
import { FakeEngine } from "./fake_engine.ts";

export interface FixtureOptions {
  readonly main?: Record<string, unknown>;
  readonly limits?: Partial<HttpLimits>;
  readonly dev?: boolean;
  /** Credentials are looked at as the server does; absent: the token is the role. */
  readonly people?: TestAccounts;
}

/** What a request may differ in from a plain GET by an administrator. */
export interface Question {
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  /** `null`: nobody. */
  readonly role?: Role | `${Role}~${string}` | null;
}

export class Fixture implements AsyncDisposable {
  readonly engine: FakeEngine;
  readonly server: HttpServer;
  readonly errors: string[];
  /** What was told of refusals and changes, each as JSON. */
  readonly notes: string[];
  /** Warnings, each as JSON. */
  readonly warnings: string[];
  readonly #client: TestClient;

  private constructor(
    engine: FakeEngine,
    server: HttpServer,
    errors: string[],
    notes: string[],
    warnings: string[],
  ) {
    this.engine = engine;
    this.server = server;
    this.errors = errors;
    this.notes = notes;
    this.warnings = warnings;
    this.#client = new TestClient(`http://127.0.0.1:${server.port}`);
  }

  static async start(options: FixtureOptions = {}): Promise<Fixture> {
    const engine = new FakeEngine();
    const accounts = options.people ??
      await testAccounts({ records: { instances: [TENANT] } });
    const errors: string[] = [];
    const notes: string[] = [];
    const warnings: string[] = [];
    const server = await startServer({
      config: {
        main: {
          addr: { host: "127.0.0.1", port: 0 },
          "https-cert-file": "",
          "https-key-file": "",
          "max-body-size": 1 << 20,
          "max-inflated-size": 4 << 20,
          "max-in-flight": 4 << 20,
          "metrics-public": false,
          "trusted-proxies": ["127.0.0.0/8"],
          "api-allowed-ips": [],
          ...options.main,
        },
      },
      engine,
      authenticator: options.people
        ? accounts.authenticator
        : { authenticate: (headers) => roleOf(headers, accounts.access) },
      services: {
        access: accounts.access,
        accounts: accounts.accounts,
        admin: await testAdmin({ engine }),
        jobs: noJobs(),
        reload: noReload,
      },
      log: {
        info: (message, fields) =>
          notes.push(JSON.stringify({ message, ...fields })),
        warn: (message, fields) =>
          warnings.push(JSON.stringify({ message, ...fields })),
        err: (message) => errors.push(message),
      },
      audit: {
        change: (change) =>
          notes.push(JSON.stringify({ message: "changed", ...change })),
        refused: ({ message: why, ...refusal }) =>
          notes.push(
            JSON.stringify({ message: "access refused", ...refusal, why }),
          ),
      },
      dev: options.dev ?? false,
      version: "0.0.0-test",
      limits: { checkIntervalMs: 20, ...options.limits },
    });
    return new Fixture(engine, server, errors, notes, warnings);
  }

  /** Sends over one connection that is kept alive. */
  ask(
    method: string,
    path: string,
    question: Question = {},
  ): Promise<HttpAnswer> {
    const { role = "admin" } = question;
    return this.#client.send({
      method,
      path,
      body: question.body,
      headers: question.headers ?? {},
      authorization: role === null ? null : `Bearer ${role}`,
    });
  }

  /** What a browser sends as `Origin` from a page of this server. */
  get origin(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  raw(): RawClient {
    return new RawClient(this.server.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.server.close();
  }
}

const TENANT: InstanceRecord = {
  name: "tenant-a",
  cluster: "T",
  active: true,
  maxSeries: 0,
  ingestionRate: 0,
  maxQuerySamples: 0,
};

/**
 * The token is the role, with `~` and a name behind it where there are several of that
 * role; a promise for one role, as for a token never seen.
 */
function roleOf(
  headers: RequestHeaders,
  access: AccessState,
): Principal | Promise<Principal> {
  const credential = findCredential(headers, "metric");
  if (credential === undefined || credential.kind === "session") {
    throw new ClientError("E_UNAUTHENTICATED", "Use JWT Authentication");
  }
  const [role, name = "test"] = credential.token.split("~");
  const principal = new UserPrincipal({ name, roles: [role as Role] }, access);
  return role === "api" ? Promise.resolve(principal) : principal;
}

/** A socket on which requests are written by hand. */
export class RawClient {
  readonly socket: Socket;
  readonly #closed: Promise<void>;
  #received = "";
  #look: () => void = () => {};

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#look();
    });
    // A reset is one way to be hung up on; `closed` tells.
    this.socket.on("error", () => {});
    this.#closed = new Promise((resolve) =>
      this.socket.on("close", () => {
        this.#look();
        resolve();
      })
    );
  }

  get received(): string {
    return this.#received;
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Resolves with everything received once the server hung up. */
  async closed(): Promise<string> {
    await this.#closed;
    return this.#received;
  }

  /** Resolves once the text has been received that many times, else rejects at the end. */
  until(text: string, times = 1): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        if (this.#received.split(text).length > times) {
          this.#look = () => {};
          resolve(this.#received);
        } else if (this.socket.closed) {
          reject(new Error(`closed after ${JSON.stringify(this.#received)}`));
        }
      };
      this.#look();
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The head of a request; a line `Authorization` is among the headers. */
export function head(
  method: string,
  path: string,
  headers: Record<string, string | number> = {},
): string {
  const lines = Object.entries({
    Host: "test",
    Authorization: "Bearer admin",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
