import assert from "node:assert/strict";
import type { PolicyScope } from "../base/policy_scopes.ts";
import { DEFAULT_SCOPE } from "../metricstore/engine/data_scope.ts";
import { ClientError } from "../base/errors.ts";
import type { InstanceRecord, PolicyRecord, Realm } from "./access_records.ts";
import { AccessState } from "./access_state.ts";
import { type Action, TokenPrincipal, UserPrincipal } from "./principal.ts";
import { Policy } from "./policy.ts";
import type { Role } from "./roles.ts";

const ACTIONS: readonly Action[] = [
  "write",
  "query",
  "health",
  "free",
  "debug",
];

function instance(
  name: string,
  cluster: string,
  more: Partial<InstanceRecord> = {},
): InstanceRecord {
  return {
    name,
    cluster,
    active: true,
    maxSeries: 0,
    ingestionRate: 0,
    maxQuerySamples: 0,
    ...more,
  };
}

const ACCESS = new AccessState();
ACCESS.replace({
  instances: [
    instance("team-a", "fritz", { maxSeries: 7, maxQuerySamples: 9 }),
    instance("team-b", "alex"),
    instance("gone", "fritz", { active: false }),
  ],
  policies: [],
  tokens: [],
  users: [],
});

function user(...roles: string[]): UserPrincipal {
  return new UserPrincipal({ name: "u", roles }, ACCESS);
}

function token(
  scopes: readonly PolicyScope[],
  realms: readonly Partial<Realm>[],
  basicUser = "",
): TokenPrincipal {
  const record: PolicyRecord = {
    name: "p",
    active: true,
    scopes,
    realms: realms.map((realm) => ({
      instance: "*",
      cluster: "*",
      selectors: [],
      ...realm,
    })),
    expiresSec: Infinity,
  };
  return new TokenPrincipal("t", new Policy(record), basicUser, ACCESS);
}

function refusedWith(status: number, pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ClientError);
    assert.equal(error.status, status);
    assert.match(error.message, pattern);
    return true;
  };
}

Deno.test("UserPrincipal.dataScope() grants by role", () => {
  const granted: Record<Role, readonly Action[]> = {
    admin: ACTIONS,
    api: ["write", "query", "health"],
    user: ["query", "health"],
    manager: ["query", "health"],
    support: ["query", "health"],
  };
  for (const [role, actions] of Object.entries(granted)) {
    for (const action of ACTIONS) {
      const ask = () => user(role).dataScope(action, undefined);
      if (!actions.includes(action)) {
        assert.throws(ask, refusedWith(403, /needs one of the roles/));
      } else if (role === "user" || role === "manager") {
        const { owner, maxIds } = ask();
        assert.deepEqual(owner, { user: "u", projects: [] });
        assert.equal(maxIds, 100_000);
      } else assert.equal(ask(), DEFAULT_SCOPE);
    }
  }
  // By their words without doubles: api beside another role writes nothing.
  for (
    const [words, write, query] of [
      [["api", "api"], true, "all"],
      [["api", "ROLE_API"], true, "all"],
      [["api", "user"], false, "own"],
      [["api", "manager"], false, "own"],
      [["api", "support"], false, "all"],
      [["api", "user", "support"], false, "all"],
      [["api", "admin"], true, "all"],
      [["api", "x"], false, "none"],
      [["user", "x"], false, "own"],
    ] as const
  ) {
    const may = (action: Action) => {
      try {
        return user(...words).dataScope(action, undefined).owner === undefined
          ? "all"
          : "own";
      } catch {
        return "none";
      }
    };
    assert.equal(may("write"), write ? "all" : "none", words.join());
    assert.equal(may("query"), query, words.join());
    assert.equal(may("health"), query, words.join());
  }
  for (const words of [[], ["root"], ["Admin"]]) {
    assert.throws(
      () => user(...words).dataScope("query", undefined),
      refusedWith(403, /needs one of the roles/),
    );
  }
  assert.equal(user("ROLE_ADMIN").dataScope("debug", undefined), DEFAULT_SCOPE);
});

Deno.test("UserPrincipal.dataScope() lets administrators alone choose an instance", () => {
  const scope = user("admin").dataScope("query", "team-a");
  assert.equal(scope.instance, "team-a");
  assert.equal(scope.maxSeries, 7);
  assert.equal(scope.maxQuerySamples, 9);
  assert.deepEqual(scope.view?.grants, [{ cluster: "fritz", selectors: [] }]);
  assert.equal(user("admin").dataScope("write", "team-a"), scope);
  assert.equal(user("admin").dataScope("query", ""), DEFAULT_SCOPE);
  for (const name of ["gone", "nobody", "team-a, team-a"]) {
    assert.throws(
      () => user("admin").dataScope("query", name),
      refusedWith(403, /names no active instance/),
    );
  }
  assert.throws(
    () => user("api", "user").dataScope("query", "team-a"),
    refusedWith(403, /needs the role admin/),
  );
});

Deno.test("UserPrincipal.mayUseJobs() counts roles (job-api 13)", () => {
  const vectors: [string[], boolean, boolean][] = [
    [["api"], true, true],
    [["admin"], false, false],
    [["admin", "api"], true, true],
    [["user", "api"], false, true],
    [["user"], false, false],
    [["api", "x"], false, false],
    [["api", "api"], true, true],
    [["admin", "api", "api"], true, true],
    [[], false, false],
  ];
  for (const [roles, job, userapi] of vectors) {
    assert.equal(user(...roles).mayUseJobs("job"), job, `${roles} /api`);
    assert.equal(user(...roles).mayUseJobs("userapi"), userapi, `${roles}`);
  }
  const noSubject = new UserPrincipal(
    { name: "u", roles: ["api"], isSubject: false },
    ACCESS,
  );
  assert.equal(noSubject.mayUseJobs("job"), false);
});

Deno.test("UserPrincipal.jobView() shows own jobs, those of projects, or all", () => {
  const view = (roles: string[], projects: string[] = []) =>
    new UserPrincipal({ name: "eve", roles, projects }, ACCESS).jobView();
  assert.deepEqual(view(["api"]), {});
  assert.deepEqual(view(["admin", "api"]), {});
  assert.deepEqual(view(["support", "api"]), {});
  assert.deepEqual(view(["manager", "api"], ["p1"]), {
    own: { user: "eve", projects: ["p1"] },
  });
  assert.deepEqual(view(["user", "api"], ["p1"]), {
    own: { user: "eve", projects: [] },
  });
});

Deno.test("TokenPrincipal.dataScope() grants by scope", () => {
  const granted: [PolicyScope, readonly Action[]][] = [
    ["admin", ACTIONS],
    ["metrics:read", ["query", "health"]],
    ["metrics:write", ["write"]],
    ["metrics:delete", ["free"]],
    ["jobs:read", []],
  ];
  for (const [scope, actions] of granted) {
    for (const action of ACTIONS) {
      const ask = () => token([scope], [{}]).dataScope(action, undefined);
      if (actions.includes(action)) assert.equal(ask().view, undefined);
      else assert.throws(ask, refusedWith(403, /needs scope/));
    }
  }
});

Deno.test("TokenPrincipal.dataScope() finds the instance: Basic, header, only realm, default", () => {
  const read = ["metrics:read"] as const;
  const both = [{ instance: "team-a" }, { instance: "team-b" }];
  const ask = (principal: TokenPrincipal, orgId?: string) =>
    principal.dataScope("query", orgId).instance;
  assert.equal(ask(token(read, both, "team-b"), "team-a"), "team-b");
  assert.equal(ask(token(read, both), "team-a"), "team-a");
  assert.equal(ask(token(read, [{ instance: "team-a" }])), "team-a");
  assert.equal(ask(token(read, [{ instance: "" }])), "");
  assert.equal(ask(token(read, [{}])), "");
  assert.throws(
    () => ask(token(read, both)),
    refusedWith(401, /^no org id$/),
  );
  // An instance of others reads like one that is not there.
  const refusals = [
    () => ask(token(read, [{}], "gone")),
    () => ask(token(read, [{}], "nobody")),
    () => ask(token(read, [{ instance: "team-a" }], "team-b")),
    () => ask(token(read, [{ cluster: "fritz" }], "team-b")),
  ];
  for (const refusal of refusals) {
    assert.throws(
      refusal,
      refusedWith(403, /has no realm with an active instance of that name/),
    );
  }
});

Deno.test("TokenPrincipal.dataScope() joins the realms of an instance", () => {
  const read = ["metrics:read"] as const;
  const selector = [{ type: "EQ", name: "hostname", value: "f1" }] as const;
  const grants = (realms: Partial<Realm>[], orgId?: string) =>
    token(read, realms).dataScope("query", orgId).view?.grants;
  assert.deepEqual(
    grants([
      { instance: "", cluster: "fritz", selectors: [selector] },
      { instance: "", cluster: "alex" },
    ]),
    [
      { cluster: "fritz", selectors: [selector] },
      { cluster: "alex", selectors: [] },
    ],
  );
  assert.deepEqual(grants([{ cluster: "fritz" }], "team-a"), [
    { cluster: "fritz", selectors: [] },
  ]);
  for (
    const realm of [
      { instance: "team-b" },
      { instance: "" },
      { cluster: "alex" },
      { instance: "team-a", cluster: "alex" },
    ]
  ) {
    assert.throws(
      () => grants([realm, { instance: "team-x" }], "team-a"),
      refusedWith(403, /no realm with an active instance/),
    );
  }
});

Deno.test("TokenPrincipal.dataScope() gives the same view until the policy or the instance changes", () => {
  const record: PolicyRecord = {
    name: "p",
    active: true,
    scopes: ["metrics:read"],
    realms: [{ instance: "", cluster: "fritz", selectors: [] }],
    expiresSec: Infinity,
  };
  const first = new Policy(record);
  const id = first.dataScope(undefined)?.view?.id;
  assert.equal(first.dataScope(undefined)?.view?.id, id);
  assert.notEqual(new Policy(record).dataScope(undefined)?.view?.id, id);
  const all = new Policy({
    ...record,
    realms: [{ instance: "*", cluster: "*", selectors: [] }],
  });
  const before = all.dataScope(instance("team-a", "fritz"));
  assert.notEqual(all.dataScope(instance("team-a", "alex")), before);
});

Deno.test("TokenPrincipal uses the job API with a scope and a realm of the default instance", () => {
  const may = (scopes: PolicyScope[], realm: Partial<Realm>) => {
    const principal = token(scopes, [realm]);
    return (["jobs:read", "jobs:write"] as const).map((access) =>
      principal.mayUseJobs("job", access)
    );
  };
  assert.deepEqual(may(["jobs:read"], {}), [true, false]);
  assert.deepEqual(may(["jobs:write"], { instance: "" }), [false, true]);
  assert.deepEqual(may(["admin"], {}), [true, true]);
  assert.deepEqual(may(["jobs:read", "jobs:write"], { instance: "team-a" }), [
    false,
    false,
  ]);
  const selector = [{ type: "EQ", name: "hostname", value: "f1" }] as const;
  const labels = { instance: "", cluster: "fritz", selectors: [selector] };
  for (const group of ["job", "userapi"] as const) {
    assert.throws(
      () => token(["jobs:read"], [labels]).mayUseJobs(group, "jobs:read"),
      refusedWith(403, /by which jobs cannot be narrowed/),
    );
  }
  // Kept from before such policies were refused.
  for (const scope of ["metrics:write", "admin"] as const) {
    const stored = token([scope, "metrics:read"], [labels]);
    assert.throws(
      () => stored.dataScope("write", undefined),
      refusedWith(403, /by which no writes can be narrowed/),
    );
    assert.ok(stored.dataScope("query", undefined).view);
  }
  const narrow = token(["jobs:read"], [
    { instance: "", cluster: "fritz", selectors: [selector] },
    { instance: "team-b", cluster: "alex" },
  ]);
  assert.deepEqual(narrow.jobView(), {
    clusters: new Set(["fritz"]),
  });
  assert.equal(narrow.jobMetrics(), undefined);
});
