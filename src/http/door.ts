/** What every handler of the front door works with. Main thread only. */
import type { IncomingMessage } from "node:http";
import type { Principal, RequestHeaders } from "../auth/mod.ts";
import type { MetricEngine } from "../engine/metric_engine.ts";
import type { Log } from "../log.ts";
import type { ByteGate } from "./byte_gate.ts";
import type { Compressor } from "./compression.ts";
import type { HttpLimits } from "./limits.ts";
import type { Telemetry } from "./telemetry.ts";

export interface Authenticator {
  /** Throws or rejects with `E_UNAUTHENTICATED`. Known tokens are answered at once. */
  authenticate(headers: RequestHeaders): Principal | Promise<Principal>;
}

export type DoorLog = Pick<Log, "info" | "err">;

/** The values of section `main` that the front door obeys; sizes in bytes. */
export interface DoorConfig {
  readonly addr: { readonly host: string; readonly port: number };
  readonly "https-cert-file": string;
  readonly "https-key-file": string;
  readonly "max-body-size": number;
  readonly "max-inflated-size": number;
  readonly "max-in-flight": number;
  readonly "metrics-public": boolean;
}

export interface Door {
  readonly config: DoorConfig;
  readonly engine: MetricEngine;
  readonly authenticator: Authenticator;
  readonly log: DoorLog;
  readonly gate: ByteGate;
  readonly compressor: Compressor;
  readonly telemetry: Telemetry;
  readonly limits: HttpLimits;
  /** Swagger UI is served. */
  readonly dev: boolean;
  /** The text of the API document. */
  readonly openApi: string;
  /** Requests that have no answer yet. */
  readonly inFlight: Set<{ readonly req: IncomingMessage }>;
  /** Connections are not kept any more. */
  closing: boolean;
}
