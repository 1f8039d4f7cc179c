/**
 * The HTTP server: listens, serves the routes, and closes in order. Main thread.
 * What a request does never ends the process: every handler's error becomes an
 * answer.
 */
import type { Socket } from "node:net";
import type { AuditSink } from "../base/audit_trail.ts";
import type { Authenticator, Principal } from "../access/mod.ts";
import { monotonicMs } from "../base/clock.ts";
import type { Registry } from "prom-client";
import { SeldomLog } from "../base/seldom_log.ts";
import { SharedPool } from "../base/shared_pool.ts";
import { createBodyMemory } from "./body/body_memory.ts";
import { AddressSet } from "./guard/client_address.ts";
import { Compressor } from "./answer/compression.ts";
import { createDispatch } from "./dispatch.ts";
import type { HttpConfig, HttpContext, HttpLog } from "./http_context.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits, READS_MAX } from "./limits.ts";
import { listen, stopListening } from "./listener.ts";
import { HttpMetrics } from "./http_metrics.ts";
import type { Route } from "./route.ts";

export interface HttpOptions {
  readonly config: { readonly main: HttpConfig };
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  /** Principal of routes that need no credential. */
  readonly anonymous: Principal;
  /** Gets the metrics of requests. */
  readonly registry: Registry;
  readonly log: HttpLog;
  readonly audit: AuditSink;
  /** Replaces single default limits; for tests. */
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  readonly host: string;
  /** The real one, also where the configuration says 0. */
  readonly port: number;
  /** From now on these settings count, as far as a running server can take them. */
  reconfigure(main: HttpConfig): void;
  /** Requests in flight finish, as far as the time for a stop allows. */
  close(): Promise<void>;
}

/**
 * Listens at `config.main.addr`. Rejects with the error of the system when that
 * is not possible.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const context = createContext(options);
  const listener = await listen(
    context.config,
    context.limits,
    createDispatch(options.routes, context),
  );
  const watch = setInterval(() => {
    const nowMs = monotonicMs();
    for (const visit of context.inFlight) visit.checkSpeed?.(nowMs);
  }, context.limits.checkIntervalMs);
  return {
    host: context.config.addr.host,
    port: listener.port,
    reconfigure: (main) => reconfigure(context, main),
    close() {
      context.closing = true;
      return stopListening(
        listener,
        () => busySockets(context),
        context.limits.closeMs,
      ).finally(() => clearInterval(watch));
    },
  };
}

function createContext(options: HttpOptions): HttpContext {
  const { log, authenticator, anonymous } = options;
  const config = options.config.main;
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const gate = new SharedPool({
    what: "bytes in flight",
    capacity: config["max-in-flight"],
    waitMs: limits.overloadWaitMs,
  });
  const reads = new SharedPool({
    what: "reads at a time",
    capacity: READS_MAX,
    waitMs: limits.overloadWaitMs,
  });
  const inFlight: HttpContext["inFlight"] = new Set();
  return {
    config,
    authenticator,
    ...(config["disable-authentication"]
      ? { openNames: { hosts: [config.addr.host, Deno.hostname()] } }
      : {}),
    anonymous,
    trustedProxies: new AddressSet(config["trusted-proxies"]),
    allowedAddresses: addressRule(config["api-allowed-ips"]),
    log,
    audit: options.audit,
    machineLog: new SeldomLog(log),
    gate,
    reads,
    bodyMemory: createBodyMemory(),
    compressor: new Compressor(),
    metrics: new HttpMetrics(options.registry, {
      gate,
      reads,
      requestsInFlight: () => inFlight.size,
    }),
    limits,
    inFlight,
    closing: false,
  };
}

/** The keys of `RELOADABLE` (src/config/settings/reloadable.ts). */
function reconfigure(context: HttpContext, main: HttpConfig): void {
  context.config = {
    ...context.config,
    "api-allowed-ips": main["api-allowed-ips"],
    "trusted-proxies": main["trusted-proxies"],
    "metrics-public": main["metrics-public"],
    "max-body-size": main["max-body-size"],
    "max-inflated-size": main["max-inflated-size"],
  };
  context.trustedProxies = new AddressSet(main["trusted-proxies"]);
  context.allowedAddresses = addressRule(main["api-allowed-ips"]);
}

/** None, or `*` as the first: every address. */
function addressRule(
  entries: readonly string[],
): (address: string) => boolean {
  if (entries.length === 0 || entries[0] === "*") return () => true;
  const allowed = new AddressSet(entries);
  return (address) => allowed.has(address);
}

function busySockets(context: HttpContext): ReadonlySet<Socket> {
  return new Set([...context.inFlight].map(({ req }) => req.socket));
}
