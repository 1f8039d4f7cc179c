/**
 * The routes without a server: for the API document, and for lists of what there is.
 * They are never asked anything.
 */
import { Registry } from "prom-client";
import type { Route } from "../../http/route.ts";
import { createRoutes } from "./routes.ts";

/** Stands for services that nothing uses; whoever does is told which. */
export function unserved<Services extends object>(what: string): Services {
  return new Proxy({} as Services, {
    get(_, name) {
      throw new Error(`these routes have no ${what}: ${String(name)}`);
    },
  });
}

/** All routes, as they are described; their handlers throw. */
export function describedRoutes(): readonly Route[] {
  return createRoutes({
    engine: unserved("engine"),
    dev: false,
    version: "",
    access: unserved("access"),
    accounts: unserved("accounts"),
    admin: unserved("admin"),
    jobs: unserved("jobs"),
    reload: () => Promise.reject(new Error("these routes have no server")),
  }, new Registry());
}
