/** What the routes of the admin and job APIs work with. Main thread. */
import type { ReloadServer } from "../../admin/tenants/reload_route.ts";
import type { AccountServices } from "../../admin/accounts/services.ts";
import type { AdminService } from "../../admin/tenants/admin_service.ts";
import type { EndingCredentials } from "../../access/ending_credentials.ts";
import type { MetricEngine } from "../../metricstore/engine/metric_engine.ts";
import type { AccessState } from "../../access/mod.ts";
import type { IngestRates } from "../../base/ingest_rates.ts";
import type { PrometheusServices } from "../../prometheus/api/services.ts";
import type { NatsStatus } from "../../nats/nats_service.ts";
import type { NodeServices } from "../../jobs/lifecycle/node_states.ts";
import type { JobServices, JobStatus } from "../../jobs/lifecycle/services.ts";
import type { WebServices } from "../../web/server/services.ts";

/** The means of the metric routes. */
export interface MetricServices {
  readonly engine: MetricEngine;
  readonly access: Pick<AccessState, "instance">;
  readonly ingestRates: IngestRates;
  readonly jobs: Pick<JobServices, "times"> & NodeServices;
}

/** Everything that routes are made of. */
export interface RouteServices extends Services {
  readonly engine: MetricEngine;
  /** Swagger UI is served. */
  readonly dev: boolean;
  readonly version: string;
}

export interface Services {
  readonly reload: ReloadServer;
  readonly access: AccessState;
  readonly accounts: AccountServices;
  /** Absent: they are made. */
  readonly ingestRates?: IngestRates;
  readonly admin: AdminService;
  /** Absent: nobody evaluates queries. */
  readonly prometheus?: PrometheusServices | undefined;
  /** Absent: no broker is configured. */
  readonly nats?: NatsStatus | undefined;
  readonly jobs: JobServices;
  /** Absent: there are no pages (`web.enabled`). */
  readonly web?: WebServices | undefined;
  /** Absent: nobody tells of credentials that end before long. */
  readonly endings?: EndingCredentials;
  /** Absent: the server tells no numbers of jobs. */
  readonly jobStatus?: JobStatus | undefined;
}
