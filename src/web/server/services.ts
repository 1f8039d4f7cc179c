/** The means of pages and of the routes below `/web/api`. Main thread. */
import type { AccessState } from "../../access/mod.ts";
import type { AccountServices } from "../../admin/accounts/services.ts";
import type { JobServices } from "../../jobs/lifecycle/services.ts";
import type { NatsStatus } from "../../nats/nats_service.ts";
import type { MetricTable } from "../../metricstore/engine/metric_engine.ts";
import type { Config } from "../../config/settings/mod.ts";
import { ClientError } from "../../base/errors.ts";
import type { SeriesTurns } from "./series_turns.ts";
import type { PageAssets } from "./assets.ts";

/** The means of the routes below `/web/api`. */
export interface PageServices {
  /** Absent: there are no pages (`web.enabled`). */
  readonly web?: WebServices | undefined;
  readonly access: AccessState;
  readonly accounts: AccountServices;
  readonly jobs: JobServices;
  /** Absent: no broker is configured. */
  readonly nats?: NatsStatus | undefined;
}

export interface WebServices {
  readonly config: Config["web"];
  /** Jobs below so many seconds are short. */
  readonly shortJobSec: number;
  /** g CO2 a kWh; 0: not told. */
  readonly emissionConstant: number;
  /** Absent: nothing was built. */
  readonly assets: PageAssets | undefined;
  readonly version: string;
  readonly startedSec: number;
  /** Nobody is asked for a credential. */
  readonly isOpen: boolean;
  /** Settings of a user: JSON texts by key. */
  readonly settingsOf: (
    username: string,
  ) => Promise<ReadonlyMap<string, string>>;
  /** Full names of users by user name, as far as there are some. */
  readonly fullNames: (
    usernames: readonly string[],
  ) => Promise<ReadonlyMap<string, string>>;
  readonly seriesTurns: SeriesTurns;
  /** Metrics of clusters without a `cluster.json`. */
  readonly metrics: MetricTable;
}

/** The services of the pages; routes without them are not there. */
export function webServices({ web }: PageServices): WebServices {
  if (web !== undefined) return web;
  throw new ClientError("E_NOT_FOUND", "there are no pages");
}
