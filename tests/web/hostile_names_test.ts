/** web J18: names that want to be more than names are text in every field and view. */
import assert from "node:assert/strict";
import { startRequest } from "../../src/app/demo/world.ts";
import { browserTest, Visit } from "./support/browser.ts";
import { PASSWORD, WorldServer } from "./support/world_server.ts";

const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(1)</script>",
  "\u202egnp.exe",
  "__proto__",
  "constructor",
  "{{7*7}}${7*7}",
  "😀 שלום",
  '=HYPERLINK("x")',
  "x".repeat(10_000),
];

browserTest("hostile names are shown as text and run nothing", async () => {
  await using world = await WorldServer.start();
  const running = world.world.jobs.find(({ stopSec }) =>
    stopSec === undefined
  )!;
  const base = startRequest(running, world.world) as Record<string, unknown>;
  for (const [index, name] of HOSTILE.entries()) {
    await world.post("/api/jobs/start_job/", {
      ...base,
      jobId: 90_001 + index,
      startTime: world.filledToSec - 600 + index,
      metaData: {
        jobName: name,
        jobScript: name,
        slurmInfo: name,
        [name.slice(0, 100)]: name,
      },
    });
  }
  await using visit = await Visit.start(world.url);
  let dialogs = 0;
  visit.page.on("dialog", (dialog) => {
    dialogs++;
    void dialog.dismiss();
  });
  await visit.go(
    "/monitoring/jobs/?jobId=90001&jobId=90002&jobId=90003&jobId=90007&jobIdMatch=in&limit=200",
  );
  await visit.signIn("demo-admin", PASSWORD);
  await visit.sees(/<img src=x onerror=alert/);
  await visit.sees(/⟨U\+202E⟩gnp\.exe/);
  const ids = await Promise.all(
    HOSTILE.map((_, index) => world.rowId(90_001 + index)),
  );
  for (const id of ids) {
    for (const tab of ["script", "metadata", "plots"]) {
      await visit.go(`/monitoring/job/${id}?tab=${tab}`);
      await visit.sees(/Job 9000\d/);
    }
  }
  assert.equal(dialogs, 0);
  assert.equal(await visit.page.$("img"), null);
  visit.assertQuiet();
});
