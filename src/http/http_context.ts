/** What every handler of the HTTP server works with. Main thread only. */
import type { IncomingMessage } from "node:http";
import type { Authenticator, Principal } from "../access/mod.ts";
import type { AuditSink } from "../base/audit_trail.ts";
import type { Log } from "../base/log.ts";
import type { SeldomLog } from "../base/seldom_log.ts";
import type { SharedPool } from "../base/shared_pool.ts";
import type { BodyMemory } from "./body/body_memory.ts";
import type { AddressSet } from "./guard/client_address.ts";
import type { Compressor } from "./answer/compression.ts";
import type { HttpLimits } from "./limits.ts";
import type { OpenAccessNames } from "./open_access.ts";
import type { HttpMetrics } from "./http_metrics.ts";

export type HttpLog = Pick<Log, "info" | "warn" | "err">;

/** The values of section `main` that the HTTP server obeys; sizes in bytes. */
export interface HttpConfig {
  readonly addr: { readonly host: string; readonly port: number };
  readonly "https-cert-file": string;
  readonly "https-key-file": string;
  readonly "max-body-size": number;
  readonly "max-inflated-size": number;
  readonly "max-in-flight": number;
  readonly "metrics-public": boolean;
  readonly "trusted-proxies": readonly string[];
  readonly "api-allowed-ips": readonly string[];
  readonly "base-url"?: string;
  readonly "disable-authentication"?: boolean;
}

/** A request under way. */
export interface Visit {
  readonly req: IncomingMessage;
  /** Ends it if it goes on too slowly. Called now and then. */
  checkSpeed?(nowMs: number): void;
}

export interface HttpContext {
  /** A reload puts another in its place, with what follows from it. */
  config: HttpConfig;
  readonly authenticator: Authenticator;
  /** Nobody is asked for a credential; absent: everybody is. */
  readonly openNames?: OpenAccessNames;
  /** Principal of routes that need no credential. */
  readonly anonymous: Principal;
  trustedProxies: AddressSet;
  /** Whether the job API answers to an address. */
  allowedAddresses: (address: string) => boolean;
  readonly log: HttpLog;
  readonly audit: AuditSink;
  /** Where refusals of machines are told, by kind. */
  readonly machineLog: SeldomLog;
  /** Bytes of bodies and answers under way. */
  readonly gate: SharedPool;
  /** Reads of the job API that are being answered. */
  readonly reads: SharedPool;
  readonly bodyMemory: BodyMemory;
  readonly compressor: Compressor;
  readonly metrics: HttpMetrics;
  readonly limits: HttpLimits;
  /** Requests that have no answer yet, and large answers that are being sent. */
  readonly inFlight: Set<Visit>;
  /** Connections are not kept any more. */
  closing: boolean;
}
