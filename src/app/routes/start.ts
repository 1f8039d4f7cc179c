/** Starts the HTTP server with all routes and metrics of its services. Main thread. */
import { Registry } from "prom-client";
import { UserPrincipal } from "../../access/mod.ts";
import {
  type HttpOptions,
  type HttpServer,
  startHttp,
} from "../../http/server.ts";
import { registerMetrics } from "./metrics.ts";
import { createRoutes } from "./routes.ts";
import type { RouteServices, Services } from "./services.ts";

export interface ServerOptions
  extends
    Omit<HttpOptions, "routes" | "registry" | "anonymous">,
    Pick<RouteServices, "engine" | "dev" | "version"> {
  readonly services: Services;
}

/** Rejects with the error of the system where the address cannot be listened at. */
export function startServer(
  { engine, dev, version, services: given, ...http }: ServerOptions,
): Promise<HttpServer> {
  const services = { ...given, engine, dev, version };
  const registry = new Registry();
  registerMetrics(registry, services);
  return startHttp({
    ...http,
    registry,
    routes: createRoutes(services, registry),
    anonymous: new UserPrincipal({ name: "nobody", roles: [] }, given.access),
  });
}
