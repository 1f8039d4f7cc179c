import assert from "node:assert/strict";
import { ClientError } from "../../base/errors.ts";
import { clusterOf, realCatalog } from "../../../tests/support/clusters.ts";
import { ClusterCatalog } from "./cluster_catalog.ts";

const METRICS = [{ name: "load", timestep: 60 }];

function catalogOf(nodes: readonly (string | undefined)[]): ClusterCatalog {
  return new ClusterCatalog([
    clusterOf({
      name: "alpha",
      subClusters: nodes.map((expression, i) => ({
        name: `s${i}`,
        nodes: expression,
      })),
      metricConfig: METRICS,
    }),
  ]);
}

/** The answer to `GET /api/clusters/` that upstream gave for the same files. */
function recordedClusters(): unknown {
  const file = new URL(
    "../../../tests/testdata/golden/jobs/lifecycle.json",
    import.meta.url,
  );
  const { steps } = JSON.parse(Deno.readTextFileSync(file)) as {
    steps: { request?: { path: string }; upstream?: { body: string } }[];
  };
  const step = steps.find(({ request }) => request?.path === "/api/clusters/");
  return JSON.parse(step?.upstream?.body ?? "null");
}

Deno.test("ClusterCatalog.toJson() answers what upstream answers for the real clusters", () => {
  const ours = JSON.parse(JSON.stringify(realCatalog().toJson()));
  assert.deepEqual(ours, recordedClusters());
});

Deno.test("ClusterCatalog.toJson() answers a file that reads the same again", () => {
  for (const cluster of realCatalog().clusters) {
    const [json] = new ClusterCatalog([cluster]).toJson().clusters;
    assert.deepEqual(clusterOf(json), cluster);
  }
});

Deno.test("ClusterCatalog.toJson() answers one cluster and refuses unknown names", () => {
  const catalog = realCatalog();
  assert.deepEqual(catalog.names, ["alex", "emmy", "fritz"]);
  assert.equal(catalog.toJson("emmy").clusters.length, 1);
  for (const name of ["nope", ""]) {
    assert.throws(
      () => catalog.toJson(name),
      (error) => error instanceof ClientError && error.code === "E_BAD_REQUEST",
    );
  }
});

Deno.test("ClusterCatalog.subClusterOfNode() takes the first whose nodes have the name", () => {
  const catalog = realCatalog();
  const found = (host: string) => catalog.subClusterOfNode("fritz", host)?.name;
  assert.equal(found("f0101"), "main");
  assert.equal(found("f2157"), "spr1tb");
  // Both have it.
  assert.equal(found("f2181"), "spr1tb");
  assert.equal(found("f9999"), undefined);
  assert.equal(catalog.subClusterOfNode("nope", "f0101"), undefined);
});

Deno.test("ClusterCatalog.subClusterOfNode() falls back to the first sub-cluster only where its nodes are * or empty", () => {
  for (const wildcard of ["*", "", undefined]) {
    const catalog = catalogOf([wildcard, "a[1-2]"]);
    assert.equal(catalog.subClusterOfNode("alpha", "a1")?.name, "s1");
    assert.equal(catalog.subClusterOfNode("alpha", "zz")?.name, "s0");
  }
  const last = catalogOf(["a[1-2]", "*"]);
  assert.equal(last.subClusterOfNode("alpha", "zz"), undefined);
});

Deno.test("ClusterCatalog.subClusterOfJob() takes the one named, else that of the first host", () => {
  const catalog = catalogOf(["a[1-2]", "b[1-2]"]);
  const found = (subCluster: string, ...hosts: string[]) =>
    catalog.subClusterOfJob({
      cluster: "alpha",
      subCluster,
      resources: hosts.map((hostname) => ({ hostname })),
    }).name;
  assert.equal(found("s1", "a1"), "s1");
  assert.equal(found("", "b2", "a1"), "s1");
  assert.equal(found("s0"), "s0");
  for (
    const [job, message] of [
      [["s9", "a1"], /^subCluster: cluster alpha has no "s9"$/],
      [["", "zz"], /^resources\.0\.hostname: .* "zz"$/],
      [[""], /^resources: at least one/],
    ] as const
  ) {
    const [subCluster, ...hosts] = job;
    assert.throws(() => found(subCluster, ...hosts), {
      name: "ClientError",
      message,
    });
  }
  assert.throws(
    () =>
      catalog.subClusterOfJob({
        cluster: "beta",
        subCluster: "",
        resources: [],
      }),
    { message: 'cluster: "beta" is not configured' },
  );
});
