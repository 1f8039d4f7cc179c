/** Who knows the nodes of running jobs, whose samples the store spares. Main thread. */
import type { Config } from "../../config/settings/mod.ts";
import type { DatabaseClient } from "../../db/remote.ts";
import {
  BackendNodes,
  type NodeProvider,
} from "../../metricstore/engine/node_provider.ts";

/** The backend that is configured, else our own job API. */
export function nodeProvider(
  { main }: Pick<Config, "main">,
  { jobs }: Pick<DatabaseClient, "jobs">,
): NodeProvider {
  const url = main["backend-url"];
  if (url !== "") {
    return new BackendNodes({ url, token: main["backend-token"] });
  }
  return {
    async usedNodes(tsSec) {
      const nodes = await jobs.usedNodes(tsSec);
      return new Map(
        [...nodes].map(([cluster, hosts]) => [cluster, new Set(hosts)]),
      );
    },
  };
}
