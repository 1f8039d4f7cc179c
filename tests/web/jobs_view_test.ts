/** web J5: the list of jobs: filters, order, pages, columns, selection, downloads. */
import assert from "node:assert/strict";
import type { DemoJob } from "../../src/app/demo/world.ts";
import { browserTest, Visit } from "./support/browser.ts";
import { PASSWORD, WorldServer } from "./support/world_server.ts";

const HOURS = 2;

/** The ids in the table, in its order. */
async function listed(visit: Visit): Promise<number[]> {
  await visit.settles();
  const ids = await visit.page.$$eval(
    "tbody th a",
    (links) => links.map(({ textContent }) => Number(textContent)),
  );
  return ids;
}

/** The same out of the world: the latest start first. */
function reference(world: WorldServer, holds: (job: DemoJob) => boolean) {
  return world.world.jobs.filter(holds).map(({ jobId }) => jobId).sort((a, b) =>
    a - b
  );
}

browserTest(
  "each filter alone shows the jobs that it means, and nobody else's",
  async () => {
    await using world = await WorldServer.start({ nodes: 60, hours: HOURS });
    await using visit = await Visit.start(world.url);
    const { sickJobId } = world.world;
    const cases: [string, (job: DemoJob) => boolean][] = [
      ["state=running", ({ state }) => state === "running"],
      [
        "state=failed&state=timeout",
        ({ state }) => state === "failed" || state === "timeout",
      ],
      ["user=alice&userMatch=eq", ({ user }) => user === "alice"],
      ["user=a&userMatch=contains", ({ user }) => user.includes("a")],
      ["project=p-flow", ({ project }) => project === "p-flow"],
      ["partition=gpu", ({ jobId }) => jobId >= 70_000],
      ["subCluster=gpu", ({ jobId }) => jobId >= 70_000],
      [`jobId=${sickJobId}`, ({ jobId }) => jobId === sickJobId],
      ["jobName=solver", ({ name }) => name.includes("solver")],
      ["numNodes=2-8", ({ hosts }) => hosts.length >= 2 && hosts.length <= 8],
      ["numAccelerators=morethan-1", ({ jobId }) => jobId >= 70_000],
      ["node=n001", ({ hosts }) => hosts.includes("n001")],
      [
        "duration=lessthan-2000&state=completed",
        (job) =>
          job.state === "completed" && job.stopSec! - job.startSec <= 2000,
      ],
    ];
    await visit.go("/monitoring/jobs/");
    await visit.signIn("demo-admin", PASSWORD);
    for (const [query, holds] of cases) {
      await visit.go(`/monitoring/jobs/?${query}&limit=200`);
      const expected = reference(world, holds);
      await visit.sees(
        expected.length === 0
          ? /No job is like that/
          : new RegExp(`\\b${expected.length} jobs?\\b`),
      );
      assert.deepEqual(
        (await listed(visit)).sort((a, b) => a - b),
        expected,
        query,
      );
    }
    visit.assertQuiet();
  },
);

browserTest(
  "filters are written by the form, shown as chips and taken away again",
  async () => {
    await using world = await WorldServer.start({ nodes: 40 });
    await using visit = await Visit.start(world.url);
    await visit.go("/monitoring/jobs/");
    await visit.signIn("demo-admin", PASSWORD);
    await visit.sees(/\d+ jobs/);
    await visit.page.keyboard.press("f");
    await visit.page.waitForSelector("form[aria-label=Filters]");
    await visit.page.select("select[name=state]", "running");
    await visit.page.type("input[name=numNodesFrom]", "2");
    await visit.click("button", "Show");
    await visit.sees(/state: running/);
    await visit.sees(/nodes at least 2/);
    assert.equal(
      new URL(visit.page.url()).search,
      "?state=running&numNodes=morethan-2",
    );
    const expected = reference(
      world,
      ({ state, hosts }) => state === "running" && hosts.length >= 2,
    );
    assert.deepEqual((await listed(visit)).sort((a, b) => a - b), expected);
    await visit.click("button", "Take away: state: running");
    await visit.page.waitForFunction(
      'location.search === "?numNodes=morethan-2"',
    );
    await visit.page.goBack();
    await visit.sees(/state: running/);
    visit.assertQuiet();
  },
);

browserTest("order and pages: every job once, there and back", async () => {
  await using world = await WorldServer.start({ nodes: 80, hours: HOURS });
  await using visit = await Visit.start(world.url);
  await visit.go("/monitoring/jobs/?limit=25");
  await visit.signIn("demo-admin", PASSWORD);
  await visit.sees(/older/);
  const first = await listed(visit);
  assert.equal(first.length, 25);
  const seen = [...first];
  while (await visit.page.$("a::-p-text(older)") !== null) {
    const before = visit.page.url();
    await visit.page.click("a::-p-text(older)");
    await visit.page.waitForFunction(
      `location.href !== ${JSON.stringify(before)}`,
    );
    seen.push(...await listed(visit));
  }
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    reference(world, () => true),
  );
  await visit.page.click("a::-p-text(newer)");
  await visit.settles();
  await visit.go("/monitoring/jobs/?limit=25");
  assert.deepEqual(await listed(visit), first);

  await visit.page.click("th button::-p-text(nodes)");
  await visit.page.waitForSelector(
    'th[aria-sort="descending"] button::-p-text(nodes)',
  );
  await listed(visit);
  const nodes = await visit.page.$$eval(
    "td[data-title=nodes]",
    (cells) => cells.map(({ textContent }) => Number(textContent)),
  );
  assert.deepEqual(nodes, nodes.toSorted((a, b) => b - a));
  visit.assertQuiet();
});

browserTest(
  "a user sees their own jobs, a manager those of the projects",
  async () => {
    await using world = await WorldServer.start({
      nodes: 40,
      people: ["demo-user", "demo-manager"],
    });
    const cases = [
      ["demo-user", ({ user }: DemoJob) => user === "demo-user"],
      ["demo-manager", ({ project }: DemoJob) => project === "p-climate"],
    ] as const;
    for (const [person, holds] of cases) {
      await using visit = await Visit.start(world.url);
      await visit.go("/monitoring/jobs/?limit=200");
      await visit.signIn(person, PASSWORD);
      const expected = reference(world, holds);
      await visit.sees(new RegExp(`\\b${expected.length} jobs?\\b`));
      assert.deepEqual(
        (await listed(visit)).sort((a, b) => a - b),
        expected,
        person,
      );
      visit.assertQuiet();
    }
  },
);
browserTest("selected jobs get a tag, which filters them", async () => {
  await using world = await WorldServer.start({ nodes: 40 });
  await using visit = await Visit.start(world.url);
  await visit.go("/monitoring/jobs/?state=running");
  await visit.signIn("demo-admin", PASSWORD);
  const [first, second] = await listed(visit);
  await visit.click("checkbox", `Select job ${first}`);
  await visit.click("checkbox", `Select job ${second}`);
  await visit.sees(/2 selected/);
  await visit.page.type("input[name=type]", "check");
  await visit.page.type("input[name=name]", "later");
  await visit.page.select("select[name=scope]", "global");
  await visit.click("button", "Tag");
  await visit.sees(/2 tagged/);
  await visit.sees(/check:later/);
  visit.assertQuiet();
});

browserTest("the list is used by keyboard alone", async () => {
  await using world = await WorldServer.start({ nodes: 40 });
  await using visit = await Visit.start(world.url);
  await visit.go("/");
  await visit.signIn("demo-admin", PASSWORD);
  await visit.sees(/The clusters now/);
  await visit.page.keyboard.press("g");
  await visit.page.keyboard.press("j");
  const [, second] = await listed(visit);
  await visit.page.keyboard.press("j");
  await visit.page.keyboard.press("j");
  await visit.page.keyboard.press("x");
  await visit.sees(/1 selected/);
  await visit.page.keyboard.press("Enter");
  await visit.sees(new RegExp(`Job ${second}`));
  visit.assertQuiet();
});
