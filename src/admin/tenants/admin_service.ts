/** Everything the admin API administers. Main thread. */
import type { RemoteTables } from "../../db/remote.ts";
import type { Log } from "../../base/log.ts";
import { type Applied, Changes } from "./changes.ts";
import { Instances } from "./instances.ts";
import type { KnownClusters } from "./known_clusters.ts";
import { Licences } from "./licences.ts";
import { Policies } from "./policies.ts";
import { Tokens } from "./tokens.ts";

export interface AdminServiceOptions {
  readonly tables: Pick<RemoteTables, "instances" | "policies" | "tokens">;
  readonly clusters: KnownClusters;
  /** `main.license-dir` */
  readonly licenceDirectory: string;
  readonly log: Pick<Log, "warnOnce">;
  readonly applied: Applied;
}

export class AdminService {
  readonly clusters: KnownClusters;
  readonly instances: Instances;
  readonly policies: Policies;
  readonly tokens: Tokens;
  readonly licences: Licences;

  constructor(options: AdminServiceOptions) {
    const { tables, clusters } = options;
    const changes = new Changes(options.applied);
    this.clusters = clusters;
    this.instances = new Instances(tables.instances, clusters, changes);
    this.policies = new Policies(
      tables.policies,
      tables.instances,
      clusters,
      changes,
    );
    this.tokens = new Tokens(tables.tokens, changes);
    this.licences = new Licences(options.licenceDirectory, options.log);
  }
}
