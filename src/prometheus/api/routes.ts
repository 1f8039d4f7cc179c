/**
 * The Prometheus API below its three prefixes: that of Mimir and Grafana Enterprise
 * Metrics, that of Cortex before it, and that of a plain Prometheus. Main thread.
 */
import type { ApiRoute } from "../../http/api_route.ts";
import { queryOperations } from "./query_routes.ts";
import type { PrometheusServices } from "./services.ts";
import { statusOperations } from "./status_routes.ts";

const PREFIXES = [
  ["/prometheus/api/v1", ""],
  ["/api/v1", "Plain"],
  ["/api/prom/api/v1", "Cortex"],
] as const;

/** `version` is ours, as buildinfo tells it; without services nothing is evaluated. */
export function prometheusRoutes(
  version: string,
  services: PrometheusServices | undefined,
): ApiRoute[] {
  const operations = Object.entries({
    ...queryOperations(services),
    ...statusOperations(version, services),
  });
  return PREFIXES.flatMap(([prefix, suffix]) =>
    operations.map(([path, methods]): ApiRoute => ({
      kind: "api",
      group: "prometheus",
      path: `${prefix}/${path}`,
      // One name for all prefixes: metrics tell what is asked, not by which door.
      name: `prometheus ${path}`,
      undocumented: suffix !== "",
      operations: Object.fromEntries(
        Object.entries(methods).map(([method, operation]) => [
          method,
          { ...operation, id: operation.id + suffix },
        ]),
      ),
    }))
  );
}
