/** The routes of the admin API: clusters, instances, access policies, tokens, licences. */
import type { ApiRoute } from "../../http/api_route.ts";
import type { AdminService } from "./admin_service.ts";
import { type Collection, collectionRoutes } from "./collection_routes.ts";
import type { AccessPolicy } from "./policies.ts";
import type { Cluster } from "./known_clusters.ts";
import type { Instance } from "./instances.ts";
import type { Licence } from "./licences.ts";
import type { Token } from "./tokens.ts";
import { readJson, readSwitch } from "./request.ts";
import {
  clusterListSchema,
  clusterSchema,
  instanceChangeSchema,
  instanceListSchema,
  instanceSchema,
  licenceListSchema,
  licenceSchema,
  madeTokenSchema,
  newInstanceSchema,
  newPolicySchema,
  newTokenSchema,
  policyChangeSchema,
  policyListSchema,
  policySchema,
  tokenListSchema,
  tokenSchema,
} from "./schemas.ts";

const CASCADE = "cascade";

const CLUSTERS: Collection<Cluster> = {
  path: "clusters",
  id: "Cluster",
  ids: "Clusters",
  one: "a cluster",
  many: "clusters",
  type: "cluster",
  item: clusterSchema,
  list: clusterListSchema,
  readAll: (admin) => admin.clusters.list(),
  // Nothing that is told of a cluster changes.
  read: (admin, name) =>
    Promise.resolve({ value: admin.clusters.get(name), version: 1 }),
};

const INSTANCES: Collection<Instance> = {
  path: "instances",
  id: "Instance",
  ids: "Instances",
  one: "an instance",
  many: "instances",
  type: "instance",
  item: instanceSchema,
  list: instanceListSchema,
  readAll: (admin, all) => admin.instances.list(all),
  read: (admin, name) => admin.instances.get(name),
  create: {
    schema: newInstanceSchema,
    example: {
      name: "dev",
      display_name: "Dev Instance",
      cluster: "fritz",
      limits: { max_series: 100000 },
    },
    make: (admin, call) =>
      admin.instances.create(readJson(call, newInstanceSchema)),
  },
  change: {
    schema: instanceChangeSchema,
    example: { display_name: "Development", status: "active" },
    make: (admin, name, checkVersion, call) =>
      admin.instances.change(
        name,
        checkVersion,
        () => readJson(call, instanceChangeSchema),
      ),
  },
  delete: {
    description: "It becomes inactive: its data stays, out of reach, until " +
      "the retention removes it, and its name stays taken.",
    make: (admin, name, checkVersion) =>
      admin.instances.delete(name, checkVersion),
  },
};

const ACCESS_POLICIES: Collection<AccessPolicy> = {
  path: "accesspolicies",
  id: "AccessPolicy",
  ids: "AccessPolicies",
  one: "an access policy",
  many: "access policies",
  type: "key",
  item: policySchema,
  list: policyListSchema,
  readAll: (admin, all) => admin.policies.list(all),
  read: (admin, name) => admin.policies.get(name),
  create: {
    schema: newPolicySchema,
    example: {
      name: "dev-readers",
      display_name: "Readers of dev",
      realms: [{
        instance: "dev",
        cluster: "fritz",
        label_policies: [{
          selector: [
            { type: "RE", name: "hostname", value: "f01.*" },
            { type: "NEQ", name: "metric", value: "mem_used" },
          ],
        }],
      }],
      scopes: ["metrics:read"],
      expiration: "2030-12-31T23:59:59Z",
    },
    make: (admin, call) =>
      admin.policies.create(readJson(call, newPolicySchema)),
  },
  change: {
    schema: policyChangeSchema,
    example: { scopes: ["metrics:read", "metrics:write"], expiration: null },
    make: (admin, name, checkVersion, call) =>
      admin.policies.change(
        name,
        checkVersion,
        () => readJson(call, policyChangeSchema),
      ),
  },
  delete: {
    description: "It becomes inactive, and its name stays taken.",
    parameters: [{
      name: CASCADE,
      type: "boolean",
      description: "Delete its active tokens with it.",
    }],
    conflict: "It has active tokens, and `cascade` is not `true`.",
    make: (admin, name, checkVersion, call) =>
      admin.policies.delete(name, checkVersion, readSwitch(call, CASCADE)),
  },
};

const TOKENS: Collection<Token> = {
  path: "tokens",
  id: "Token",
  ids: "Tokens",
  one: "a token",
  many: "tokens",
  type: "key",
  item: tokenSchema,
  list: tokenListSchema,
  readAll: (admin, all) => admin.tokens.list(all),
  read: (admin, name) => admin.tokens.get(name),
  create: {
    schema: newTokenSchema,
    answer: madeTokenSchema,
    example: {
      name: "dev-grafana",
      display_name: "Grafana of dev",
      access_policy: "dev-readers",
      expiration: "2030-12-31T23:59:59Z",
    },
    make: (admin, call) => admin.tokens.create(readJson(call, newTokenSchema)),
  },
  delete: {
    description: "It is refused from the next request on, for good. Its name " +
      "stays taken.",
    make: (admin, name, checkVersion) =>
      admin.tokens.delete(name, checkVersion),
  },
};

const LICENCES: Collection<Licence> = {
  path: "licenses",
  id: "License",
  ids: "Licenses",
  one: "a license",
  many: "licenses",
  type: "license",
  item: licenceSchema,
  list: licenceListSchema,
  readAll: (admin) => admin.licences.list(),
  read: (admin, name) => admin.licences.get(name),
};

export function adminRoutes(admin: AdminService): readonly ApiRoute[] {
  return [
    ...collectionRoutes(admin, CLUSTERS),
    ...collectionRoutes(admin, INSTANCES),
    ...collectionRoutes(admin, ACCESS_POLICIES),
    ...collectionRoutes(admin, TOKENS),
    ...collectionRoutes(admin, LICENCES),
  ];
}
