/** The route that takes cluster files and configuration anew. Main thread. */
import { z } from "zod";
import { type ApiRoute, json, JSON_TYPE } from "../../http/api_route.ts";

const reloadSchema = z.object({
  reloaded: z.array(z.string()).describe(
    "Keys, clusters and metrics with new values that count from now on.",
  ),
  needs_restart: z.array(z.string()).describe(
    "What differs from the files and stays as it is until a restart.",
  ),
}).meta({ id: "Reload" });

/** The outcome of a reload, as the API tells it. */
export interface ReloadReport {
  /** Keys, clusters and metrics with new values that count from now on. */
  readonly reloaded: readonly string[];
  /** Changed keys, clusters and metrics that need a restart. */
  readonly needs_restart: readonly string[];
}

/** Takes cluster files and configuration anew; rejects with a `ClientError`. */
export type ReloadServer = () => Promise<ReloadReport>;

export function reloadRoutes(reload: ReloadServer): readonly ApiRoute[] {
  return [{
    kind: "api",
    group: "admin",
    path: "/-/reload",
    name: "reload",
    operations: {
      POST: {
        id: "reload",
        summary: "Take cluster files and configuration anew",
        description:
          "With the checks of a start. What is refused leaves everything as it was.",
        answer: { type: JSON_TYPE, schema: reloadSchema },
        errors: { 422: "The files are wrong, or a change needs a restart." },
        audited: true,
        async handle(call) {
          call.audit("configuration");
          return json(200, await reload());
        },
      },
    },
  }];
}
