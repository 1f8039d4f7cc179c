/**
 * The front door: listens, serves the routes, and closes in order. Main thread.
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
import type { Door, DoorConfig, DoorLog } from "./door.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits, READS_MAX } from "./limits.ts";
import { listen, stopListening } from "./listener.ts";
import { HttpMetrics } from "./http_metrics.ts";
import type { Route } from "./route.ts";

export interface HttpOptions {
  readonly config: { readonly main: DoorConfig };
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  /** Principal of routes that need no credential. */
  readonly nobody: Principal;
  /** Gets the metrics of requests. */
  readonly registry: Registry;
  readonly log: DoorLog;
  readonly audit: AuditSink;
  /** Replaces single default limits; for tests. */
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  readonly host: string;
  /** The real one, also where the configuration says 0. */
  readonly port: number;
  /** From now on these settings count, as far as a running server can take them. */
  reconfigure(main: DoorConfig): void;
  /** Requests in flight finish, as far as the time for a stop allows. */
  close(): Promise<void>;
}

/**
 * Listens at `config.main.addr`. Rejects with the error of the system when that
 * is not possible.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const door = createDoor(options);
  const listener = await listen(
    door.config,
    door.limits,
    createDispatch(options.routes, door),
  );
  const watch = setInterval(() => {
    const nowMs = monotonicMs();
    for (const visit of door.inFlight) visit.checkSpeed?.(nowMs);
  }, door.limits.checkIntervalMs);
  return {
    host: door.config.addr.host,
    port: listener.port,
    reconfigure: (main) => reconfigure(door, main),
    close() {
      door.closing = true;
      return stopListening(
        listener,
        () => busySockets(door),
        door.limits.closeMs,
      ).finally(() => clearInterval(watch));
    },
  };
}

function createDoor(options: HttpOptions): Door {
  const { log, authenticator, nobody } = options;
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
  const inFlight: Door["inFlight"] = new Set();
  return {
    config,
    authenticator,
    ...(config["disable-authentication"]
      ? { openNames: { hosts: [config.addr.host, Deno.hostname()] } }
      : {}),
    nobody,
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
      requestsInFlight: () => inFlight.size,
    }),
    limits,
    inFlight,
    closing: false,
  };
}

/** The keys of `RELOADABLE` (src/config/settings/reloadable.ts). */
function reconfigure(door: Door, main: DoorConfig): void {
  door.config = {
    ...door.config,
    "api-allowed-ips": main["api-allowed-ips"],
    "trusted-proxies": main["trusted-proxies"],
    "metrics-public": main["metrics-public"],
    "max-body-size": main["max-body-size"],
    "max-inflated-size": main["max-inflated-size"],
  };
  door.trustedProxies = new AddressSet(main["trusted-proxies"]);
  door.allowedAddresses = addressRule(main["api-allowed-ips"]);
}

/** None, or `*` as the first: every address. */
function addressRule(
  entries: readonly string[],
): (address: string) => boolean {
  if (entries.length === 0 || entries[0] === "*") return () => true;
  const allowed = new AddressSet(entries);
  return (address) => allowed.has(address);
}

function busySockets(door: Door): ReadonlySet<Socket> {
  return new Set([...door.inFlight].map(({ req }) => req.socket));
}
