/** Access policies: rules and representation. Main thread. */
import type { z } from "zod";
import { POLICY_SCOPES } from "../../base/policy_scopes.ts";
import {
  ADMIN_POLICY_NAME,
  type PolicyRealm,
  type PolicyRow,
} from "../../db/policy_table.ts";
import type { RemoteTables } from "../../db/remote.ts";
import { ClientError } from "../../base/errors.ts";
import type { Changes } from "./changes.ts";
import type { KnownClusters } from "./known_clusters.ts";
import {
  checkRealms,
  type Realms,
  realmsOfWire,
  realmsOnWire,
} from "./realms.ts";
import {
  badRequest,
  checkCount,
  checkSame,
  demand,
  type Shown,
  type VersionCheck,
} from "./resource.ts";
import type {
  newPolicySchema,
  policyChangeSchema,
  policySchema,
} from "./schemas.ts";

export type AccessPolicy = z.infer<typeof policySchema>;

const POLICIES_MAX = 4096;

/** What changes here acts on. */
const CHANGED = ["policies", "tokens"] as const;

export class Policies {
  readonly #table: RemoteTables["policies"];
  readonly #existing: Realms;
  readonly #changes: Changes;

  constructor(
    table: RemoteTables["policies"],
    instances: RemoteTables["instances"],
    clusters: KnownClusters,
    changes: Changes,
  ) {
    this.#table = table;
    this.#existing = {
      hasCluster: (name) => clusters.has(name),
      clusterOf: async (name) => (await instances.get(name))?.cluster,
    };
    this.#changes = changes;
  }

  /** By name; `all`: also those that are not active. */
  async list(all: boolean): Promise<AccessPolicy[]> {
    const rows = await this.#table.list({ includeInactive: all });
    return rows.map((row) => show(row).value);
  }

  async get(name: string): Promise<Shown<AccessPolicy>> {
    return show(await this.#find(name));
  }

  create(given: z.infer<typeof newPolicySchema>): Promise<Shown<AccessPolicy>> {
    return this.#changes.make(CHANGED, async () => {
      const { name } = given;
      checkCount("access policies", await this.#table.count(), POLICIES_MAX);
      const realms = realmsOfWire(given.realms);
      checkScopes(given.scopes, realms);
      await checkRealms(realms, this.#existing);
      return show(
        await this.#table.create({
          name,
          displayName: given.display_name ?? name,
          realms,
          scopes: inOrder(given.scopes),
          expiration: given.expiration ?? null,
        }),
      );
    });
  }

  change(
    name: string,
    checkVersion: VersionCheck,
    given: () => z.infer<typeof policyChangeSchema>,
  ): Promise<Shown<AccessPolicy>> {
    return this.#changes.make(CHANGED, async () => {
      const row = await this.#find(name);
      refuseBuiltIn(name);
      checkVersion(row.version);
      const change = given();
      checkSame("name", change.name, name);
      const realms = change.realms === undefined
        ? row.realms
        : realmsOfWire(change.realms);
      // One that was made before this was refused may still be renamed or ended.
      if (change.realms !== undefined || change.scopes !== undefined) {
        checkScopes(change.scopes ?? row.scopes, realms);
      }
      await checkRealms(realms, this.#existing, row.realms);
      const changed = await this.#table.update(name, {
        displayName: change.display_name ?? row.displayName,
        status: change.status ?? row.status,
        realms,
        scopes: change.scopes === undefined
          ? row.scopes
          : inOrder(change.scopes),
        expiration: change.expiration === undefined
          ? row.expiration
          : change.expiration,
      }, row.version);
      return show(changed);
    });
  }

  /**
   * Makes it inactive. With active tokens that is refused (409), or with `cascade`
   * they become inactive as well.
   */
  delete(
    name: string,
    checkVersion: VersionCheck,
    cascade: boolean,
  ): Promise<void> {
    return this.#changes.make(CHANGED, async () => {
      const row = await this.#find(name);
      refuseBuiltIn(name);
      checkVersion(row.version);
      await this.#table.delete(name, { cascade }, row.version);
    });
  }

  async #find(name: string): Promise<PolicyRow> {
    return demand("access policy", name, await this.#table.get(name));
  }
}

function refuseBuiltIn(name: string): void {
  if (name !== ADMIN_POLICY_NAME) return;
  throw new ClientError(
    "E_FORBIDDEN",
    `access policy ${name} is built in: nobody can change or delete it`,
  );
}

/**
 * Throws `E_BAD_REQUEST` for a grant that would not be what it says: label policies do
 * not bind writes, and the administration knows no instances.
 */
function checkScopes(
  scopes: readonly AccessPolicy["scopes"][number][],
  realms: readonly PolicyRealm[],
): void {
  const wide = scopes.find((scope) =>
    scope === "admin" || scope === "metrics:write"
  );
  for (const [i, { instance, labelPolicies }] of realms.entries()) {
    if (wide !== undefined && labelPolicies.length > 0) {
      throw badRequest(
        `realms.${i}.label_policies: scope ${wide} cannot be narrowed by labels`,
      );
    }
    if (scopes.includes("admin") && instance !== "*" && instance !== "") {
      throw badRequest(
        `realms.${i}.instance: scope admin is for the server as a whole, expected "*", got ${
          JSON.stringify(instance.slice(0, 100))
        }`,
      );
    }
  }
}

/** Each scope once, in the order of the documentation. */
function inOrder(
  scopes: readonly AccessPolicy["scopes"][number][],
): AccessPolicy["scopes"] {
  return POLICY_SCOPES.filter((scope) => scopes.includes(scope));
}

function show(row: PolicyRow): Shown<AccessPolicy> {
  return {
    value: {
      name: row.name,
      display_name: row.displayName,
      created_at: row.createdAt,
      status: row.status,
      realms: realmsOnWire(row.realms),
      scopes: [...row.scopes],
      ...(row.expiration === null ? {} : { expiration: row.expiration }),
    },
    version: row.version,
  };
}
