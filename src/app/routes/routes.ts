/** All routes of a server. The API document is made from them. */
import { frontendRoutes } from "../../admin/accounts/frontend_routes.ts";
import { loginRoutes } from "../../admin/accounts/login_routes.ts";
import { sessionRoutes } from "../../admin/accounts/session_routes.ts";
import { clusterRoutes } from "../../jobs/api/cluster_routes.ts";
import { jobRoutes } from "../../jobs/api/job_routes.ts";
import { machineStateRoutes } from "../../jobs/api/machine_state_routes.ts";
import { readRoutes } from "../../jobs/api/read_routes.ts";
import { tagRoutes } from "../../jobs/api/tag_routes.ts";
import { TAGGER_ROUTES } from "../../admin/accounts/tagger_routes.ts";
import { userRoutes } from "../../admin/accounts/user_routes.ts";
import { adminRoutes } from "../../admin/tenants/admin_routes.ts";
import { reloadRoutes } from "../../admin/tenants/reload_route.ts";
import { prometheusRoutes } from "../../prometheus/api/routes.ts";
import { pageRoutes } from "./pages.ts";
import type { Route } from "../../http/route.ts";
import { webRoutes } from "../../web/server/web_routes.ts";
import { IngestRates } from "../../base/ingest_rates.ts";
import type { Registry } from "prom-client";
import { metricRoutes } from "./metric_routes.ts";
import { openApiText } from "./openapi.ts";
import type { RouteServices } from "./services.ts";
import { swaggerRoutes } from "./swagger.ts";

/** All routes of a server with these services; one of them shows the metrics of `registry`. */
export function createRoutes(
  services: RouteServices,
  registry: Registry,
): readonly Route[] {
  const { accounts, admin, jobs, ingestRates = new IngestRates() } = services;
  const routes: readonly Route[] = [
    ...metricRoutes({ ...services, ingestRates }),
    ...prometheusRoutes(services.version, services.prometheus),
    ...adminRoutes(admin),
    ...reloadRoutes(services.reload),
    ...jobRoutes(jobs),
    ...tagRoutes(jobs),
    ...readRoutes(jobs),
    ...clusterRoutes(jobs),
    ...machineStateRoutes(jobs),
    ...userRoutes(accounts),
    ...TAGGER_ROUTES,
    ...frontendRoutes(accounts),
    ...sessionRoutes(accounts),
    ...loginRoutes(services),
    ...pageRoutes(services, registry, () => document),
    ...webRoutes(services),
    ...swaggerRoutes(services.dev),
  ];
  const document = openApiText(routes);
  return routes;
}
