/**
 * What a subscription may write that the configuration binds to an instance or to
 * an access policy: as a token of that policy could over HTTP. Main thread.
 */
import { nowSec } from "../base/clock.ts";
import type { DataScope } from "../metricstore/engine/data_scope.ts";
import type { AccessState } from "./access_state.ts";
import { wholeInstance } from "./policy.ts";

/** A scope and the cluster of lines that name none, or why there is none. */
export type SubscriptionGrant =
  | { readonly scope: DataScope; readonly defaultCluster: string }
  | { readonly refused: string };

/** `""`: the default instance, or no policy; one of the two is given. */
export function subscriptionGrant(
  access: AccessState,
  instanceName: string,
  policyName: string,
): SubscriptionGrant {
  const instance = access.instance(instanceName);
  if (instanceName !== "" && !instance?.active) {
    return { refused: `there is no active instance "${instanceName}"` };
  }
  const defaultCluster = instance?.cluster ?? "";
  if (policyName === "") {
    return instance === undefined
      ? { refused: "neither instance nor access policy" }
      : { scope: wholeInstance(instance), defaultCluster };
  }
  const policy = access.policy(policyName);
  if (!policy?.record.active || policy.record.expiresSec <= nowSec()) {
    return { refused: `there is no active access policy "${policyName}"` };
  }
  if (!policy.has("metrics:write")) {
    return { refused: `access policy "${policyName}" lacks metrics:write` };
  }
  if (policy.isContradictory) {
    return {
      refused:
        `access policy "${policyName}" has label policies, by which no writes can be narrowed`,
    };
  }
  const scope = policy.dataScope(instance);
  return scope === undefined
    ? {
      refused:
        `access policy "${policyName}" has no realm in instance "${instanceName}"`,
    }
    : { scope, defaultCluster };
}
