/** web J6, J14 and J17: one job: findings, plots, zoom, pins, statistics, downloads, its end. */
import assert from "node:assert/strict";
import { stopRequest } from "../../src/app/demo/world.ts";
import { nowSec } from "../../src/base/clock.ts";
import { browserTest, Visit } from "./support/browser.ts";
import { PASSWORD, WorldServer } from "./support/world_server.ts";

async function openJob(
  visit: Visit,
  world: WorldServer,
  query = "",
): Promise<void> {
  const id = await world.rowId(world.world.sickJobId);
  await visit.go(`/monitoring/job/${id}${query}`);
  await visit.signIn("demo-admin", PASSWORD);
  await visit.sees(new RegExp(`Job ${world.world.sickJobId}`));
}

browserTest(
  "a sick job says in words which nodes stand still, and pins them in all plots",
  async () => {
    await using world = await WorldServer.start();
    await using visit = await Visit.start(world.url);
    await openJob(visit, world);
    const job = world.world.jobs.find(({ jobId }) =>
      jobId === world.world.sickJobId
    )!;
    const sick = job.sick!.hosts;
    await visit.sees(
      new RegExp(
        `${sick.length} of ${job.hosts.length} nodes below half of the median of cpu_load since \\d\\d:\\d\\d`,
      ),
    );
    for (const host of sick) await visit.sees(new RegExp(host));
    await visit.page.click(".finding button::-p-text(pin)");
    for (const host of sick) await visit.find("button", `Unpin ${host}`);
    assert.deepEqual(
      new URL(visit.page.url()).searchParams.getAll("pin").sort(),
      [...sick].sort(),
    );
    visit.assertQuiet();
  },
);

browserTest(
  "a drag zooms all plots, Back returns, the URL alone shows the same again",
  async () => {
    await using world = await WorldServer.start();
    await using visit = await Visit.start(world.url);
    await openJob(visit, world);
    const plot = await visit.page.waitForSelector(".plot .u-over");
    await visit.settles();
    const box = (await plot!.boundingBox())!;
    await visit.page.mouse.move(box.x + box.width * 0.3, box.y + 40);
    await visit.page.mouse.down();
    await visit.page.mouse.move(box.x + box.width * 0.6, box.y + 60, {
      steps: 5,
    });
    await visit.page.mouse.up();
    await visit.page.waitForFunction('location.search.includes("from=")');
    const zoomed = new URL(visit.page.url());
    const [from, to] = ["from", "to"].map((key) =>
      Number(zoomed.searchParams.get(key))
    );
    const job = world.world.jobs.find(({ jobId }) =>
      jobId === world.world.sickJobId
    )!;
    assert.ok(from! > job.startSec && to! > from! && to! < nowSec());
    await visit.settles();
    await visit.sees(/whole job/);
    const range = await visit.page.$eval(
      "section[aria-label=Metrics] .row",
      (row) => row.textContent,
    );
    await visit.page.reload();
    await visit.sees(/whole job/);
    const again = await visit.page.$eval(
      "section[aria-label=Metrics] .row",
      (row) => row.textContent,
    );
    assert.equal(again, range);
    await visit.page.goBack();
    await visit.page.waitForFunction('!location.search.includes("from=")');
    visit.assertQuiet();
  },
);

browserTest("a plot is read and zoomed by keyboard", async () => {
  await using world = await WorldServer.start();
  await using visit = await Visit.start(world.url);
  await openJob(visit, world);
  const area = await visit.page.waitForSelector(".plot-area");
  await visit.settles();
  assert.match(
    await area!.evaluate((one) => one.getAttribute("aria-label")) ?? "",
    /^cpu_load, .* from \S+ to \S+/,
  );
  await area!.focus();
  await visit.page.keyboard.press("Home");
  await visit.page.keyboard.press("ArrowRight");
  const tip = await visit.page.waitForSelector(".plot-tip");
  assert.match(
    await tip!.evaluate((one) => one.textContent) ?? "",
    /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/,
  );
  await visit.page.keyboard.press("+");
  await visit.page.waitForFunction('location.search.includes("from=")');
  visit.assertQuiet();
});

browserTest("numbers of the statistics are those of the job API", async () => {
  await using world = await WorldServer.start();
  await using visit = await Visit.start(world.url);
  await openJob(visit, world, "?tab=statistics");
  await visit.settles();
  const id = await world.rowId(world.world.sickJobId);
  const { data } = await world.get(
    `/api/jobs/metrics/${id}?metric=cpu_load&scope=node`,
  ) as {
    data: {
      jobMetrics: {
        metric: { series: { hostname: string; statistics: { avg: number } }[] };
      }[];
    };
  };
  const rows = await visit.page.$$eval(
    "tbody tr",
    (all) =>
      all.map((row) => [...row.children].map(({ textContent }) => textContent)),
  );
  const series = data.jobMetrics[0]!.metric.series;
  assert.equal(rows.length, series.length);
  for (const { hostname, statistics } of series) {
    const row = rows.find(([host]) => host === hostname);
    // Live: a sample or two may have come in between.
    const shown = Number(row?.[2]);
    assert.ok(
      Math.abs(shown - statistics.avg) < 0.1 + 0.02 * statistics.avg,
      `${hostname}: ${shown} ${statistics.avg}`,
    );
  }
  visit.assertQuiet();
});

browserTest(
  "a running job ends while it is open: it says so, and its plots stay",
  async () => {
    await using world = await WorldServer.start();
    await using visit = await Visit.start(world.url);
    await openJob(visit, world);
    await visit.sees(/running/);
    const job = world.world.jobs.find(({ jobId }) =>
      jobId === world.world.sickJobId
    )!;
    await world.post(
      "/api/jobs/stop_job/",
      stopRequest({ ...job, stopSec: world.filledToSec, state: "completed" }),
    );
    await visit.page.keyboard.press("r");
    await visit.sees(/completed/);
    await visit.page.waitForSelector(".plot .u-over");
    // It looks again by itself until the archive has the job.
    await visit.sees(/\barchived\b/);
    await visit.page.waitForSelector(".plot .u-over");
    visit.assertQuiet();
  },
);

browserTest("downloads have every sample in full precision", async () => {
  await using world = await WorldServer.start();
  await using visit = await Visit.start(world.url);
  await openJob(visit, world, "?tab=raw");
  await visit.page.select("label::-p-text(metric) select", "cpu_load");
  const href = await visit.page.$eval(
    "a[download]",
    (link) => link.getAttribute("href"),
  );
  const csv = String(
    await visit.page.evaluate(
      `fetch(${JSON.stringify(href)}).then((answer) => answer.text())`,
    ),
  );
  const lines = csv.trim().split(/\r?\n/);
  const job = world.world.jobs.find(({ jobId }) =>
    jobId === world.world.sickJobId
  )!;
  const seconds = world.filledToSec - job.startSec;
  assert.ok(
    lines.length > job.hosts.length * seconds / 5 * 0.9,
    `${lines.length} lines`,
  );
  visit.assertQuiet();
});

browserTest("on a phone a job is found, opened and read by touch", async () => {
  await using world = await WorldServer.start();
  await using visit = await Visit.start(world.url, { isPhone: true });
  await visit.go("/monitoring/jobs/?state=running");
  await visit.signIn("demo-admin", PASSWORD);
  const card = await visit.page.waitForSelector(".job-cards li a");
  await card!.tap();
  await visit.sees(/Job \d+/);
  const plot = await visit.page.waitForSelector(".plot-area");
  await plot!.scrollIntoView();
  await visit.settles();
  await plot!.tap();
  visit.assertQuiet();
});
