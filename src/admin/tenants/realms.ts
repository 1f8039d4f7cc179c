/**
 * Realms of access policies, between the wire and what is kept, and whether they
 * name what there is. Main thread.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { z } from "zod";
import type { PolicyRealm } from "../../db/policy_table.ts";
import { checkPattern } from "../../metricstore/engine/label_pattern.ts";
import { badRequest } from "./resource.ts";
import type { newRealmSchema, policySchema } from "./schemas.ts";

type NewRealm = z.infer<typeof newRealmSchema>;
type ShownRealm = z.infer<typeof policySchema>["realms"][number];

/** Of a policy as a whole: it goes to the workers with every question. */
export const POLICY_MATCHERS_MAX = 500;

/** What realms may name. */
export interface Realms {
  /** Whether there is such a cluster. */
  hasCluster(name: string): boolean;
  /** The cluster of an instance; `undefined`: there is none of that name. */
  clusterOf(instance: string): Promise<string | undefined>;
}

export function realmsOfWire(realms: readonly NewRealm[]): PolicyRealm[] {
  return realms.map(({ instance, cluster, label_policies = [] }) => ({
    instance,
    cluster,
    labelPolicies: label_policies.map(({ selector }) => selector),
  }));
}

export function realmsOnWire(realms: readonly PolicyRealm[]): ShownRealm[] {
  return realms.map(({ instance, cluster, labelPolicies }) => ({
    instance,
    cluster,
    ...(labelPolicies.length === 0 ? {} : {
      label_policies: labelPolicies.map((selector) => ({
        selector: [...selector],
      })),
    }),
  }));
}

/**
 * Throws `E_BAD_REQUEST` for a cluster or instance that is not there, and for a
 * pattern that does not compile. What is among `kept` was checked before: a
 * policy that was read may be sent back whatever has vanished since.
 */
export async function checkRealms(
  realms: readonly PolicyRealm[],
  existing: Realms,
  kept: readonly PolicyRealm[] = [],
): Promise<void> {
  const matchers = realms.reduce(
    (sum, { labelPolicies }) => sum + labelPolicies.flat().length,
    0,
  );
  if (matchers > POLICY_MATCHERS_MAX) {
    throw badRequest(
      `realms: ${matchers} matchers, at most ${POLICY_MATCHERS_MAX} are kept`,
    );
  }
  for (const [i, realm] of realms.entries()) {
    const isKept = kept.some(({ instance, cluster }) =>
      instance === realm.instance && cluster === realm.cluster
    );
    if (!isKept) await checkNames(`realms.${i}`, realm, existing);
  }
  await checkPatterns(realms);
}

async function checkNames(
  path: string,
  { instance, cluster }: PolicyRealm,
  existing: Realms,
): Promise<void> {
  if (cluster !== "*" && !existing.hasCluster(cluster)) {
    throw badRequest(`${path}.cluster: there is no cluster ${quoted(cluster)}`);
  }
  if (instance === "" || instance === "*") return;
  const home = await existing.clusterOf(instance);
  if (home === undefined) {
    throw badRequest(
      `${path}.instance: there is no instance ${quoted(instance)}`,
    );
  }
  if (cluster !== "*" && cluster !== home) {
    throw badRequest(
      `${path}.cluster: instance ${instance} is in cluster ${
        quoted(home)
      }, not in ${quoted(cluster)}`,
    );
  }
}

/** Compiling one takes milliseconds at worst, so others get their turn between two. */
async function checkPatterns(realms: readonly PolicyRealm[]): Promise<void> {
  const seen = new Set<string>();
  for (const [i, { labelPolicies }] of realms.entries()) {
    for (const [j, selector] of labelPolicies.entries()) {
      for (const [k, { type, value }] of selector.entries()) {
        if ((type !== "RE" && type !== "NRE") || seen.has(value)) continue;
        seen.add(value);
        const problem = checkPattern(value);
        if (problem !== undefined) {
          throw badRequest(
            `realms.${i}.label_policies.${j}.selector.${k}.value: ${problem}, got ${
              quoted(value)
            }`,
          );
        }
        await nextTurn();
      }
    }
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
