/**
 * An access policy as it is asked for every request: which scopes it has, and for
 * an instance the data scope its realms give. Scopes of data are made once per
 * policy and instance; a changed policy is a new object. Main thread.
 */
import type { PolicyScope } from "../base/policy_scopes.ts";
import type {
  ClusterGrant,
  DataScope,
} from "../metricstore/engine/data_scope.ts";
import type { InstanceRecord, PolicyRecord, Realm } from "./access_records.ts";

/** Makes the ids of views; workers keep compiled views by id. */
let views = 0;

export class Policy {
  readonly record: PolicyRecord;
  readonly #scopes: ReadonlySet<PolicyScope>;
  /** By instance, with the record it was made from. */
  readonly #dataScopes = new Map<
    string,
    { made: InstanceRecord | undefined; scope: DataScope | undefined }
  >();

  constructor(record: PolicyRecord) {
    this.record = record;
    this.#scopes = new Set(record.scopes);
  }

  has(scope: PolicyScope): boolean {
    return this.#scopes.has("admin") || this.#scopes.has(scope);
  }

  /**
   * The instance of a request that names none: the only one the realms name, else
   * with a realm of all instances the default one; `undefined`: it must be named.
   */
  get impliedInstance(): string | undefined {
    const names = new Set(this.record.realms.map((realm) => realm.instance));
    const all = names.delete("*");
    if (names.size === 1) return [...names][0];
    return all ? "" : undefined;
  }

  /**
   * What the policy shows of an instance (`undefined`: the default one);
   * `undefined`: nothing.
   */
  dataScope(instance: InstanceRecord | undefined): DataScope | undefined {
    const name = instance?.name ?? "";
    const known = this.#dataScopes.get(name);
    if (known !== undefined && known.made === instance) return known.scope;
    const scope = scopeOf(instance, this.#grants(instance));
    this.#dataScopes.set(name, { made: instance, scope });
    return scope;
  }

  /** Whether labels narrow it although it may write or administer, which they cannot. */
  get isContradictory(): boolean {
    return this.has("metrics:write") &&
      this.record.realms.some((realm) => realm.selectors.length > 0);
  }

  /** Whether labels narrow anything of the default instance that it may see. */
  get isNarrowed(): boolean {
    return this.#grants(undefined).some((grant) => grant.selectors.length > 0);
  }

  #grants(instance: InstanceRecord | undefined): ClusterGrant[] {
    return this.record.realms.flatMap((realm) => grantOf(realm, instance));
  }
}

/** What a JWT's administrator sees of an instance: all of it. */
export function wholeInstance(instance: InstanceRecord): DataScope {
  const known = whole.get(instance);
  if (known !== undefined) return known;
  const scope = scopeOf(instance, [{
    cluster: instance.cluster,
    selectors: [],
  }])!;
  whole.set(instance, scope);
  return scope;
}

const whole = new WeakMap<InstanceRecord, DataScope>();

function grantOf(
  realm: Realm,
  instance: InstanceRecord | undefined,
): ClusterGrant[] {
  if (instance === undefined) {
    return realm.instance === "" || realm.instance === "*"
      ? [{ cluster: realm.cluster, selectors: realm.selectors }]
      : [];
  }
  const { name, cluster } = instance;
  if (realm.instance !== name && realm.instance !== "*") return [];
  if (realm.cluster !== cluster && realm.cluster !== "*") return [];
  return [{ cluster, selectors: realm.selectors }];
}

function scopeOf(
  instance: InstanceRecord | undefined,
  grants: readonly ClusterGrant[],
): DataScope | undefined {
  if (grants.length === 0) return undefined;
  const unlimited = grants.some(({ cluster, selectors }) =>
    cluster === "*" && selectors.length === 0
  );
  return {
    instance: instance?.name ?? "",
    maxSeries: instance?.maxSeries ?? 0,
    maxQuerySamples: instance?.maxQuerySamples ?? 0,
    ...(unlimited ? {} : { view: { id: String(++views), grants } }),
  };
}
