/**
 * web J13 and J17: every view in both themes and both sizes, looked at by axe, and kept
 * as a picture in `dist/screens`. No view is wider than its screen.
 */
import assert from "node:assert/strict";
import axe from "axe-core";
import { ROOT } from "../support/server.ts";
import { browserTest, Visit } from "./support/browser.ts";
import { PASSWORD, WorldServer } from "./support/world_server.ts";

const SCREENS = `${ROOT}dist/screens`;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

interface View {
  readonly name: string;
  readonly path: string;
  /** What it shows when it is complete. */
  readonly text: RegExp;
}

async function viewsOf(world: WorldServer): Promise<View[]> {
  const sick = await world.rowId(world.world.sickJobId);
  const gpu = await world.rowId(70_001);
  const job = `/monitoring/job/${sick}`;
  return [
    { name: "home", path: "/", text: /Ended last/ },
    { name: "jobs", path: "/monitoring/jobs/", text: /older/ },
    {
      name: "jobs-filtered",
      path: "/monitoring/jobs/?state=running&cluster=demo&numNodes=2-16",
      text: /state: running/,
    },
    { name: "job", path: job, text: /below half of the median/ },
    {
      name: "job-map",
      path: `${job}?view=flops_any:map:socket&view=cpu_load:lines:node`,
      text: /flops_any/,
    },
    {
      name: "job-gpu",
      path: `/monitoring/job/${gpu}`,
      text: /acc_utilization/,
    },
    {
      name: "job-statistics",
      path: `${job}?tab=statistics`,
      text: /far from the others/,
    },
    { name: "job-resources", path: `${job}?tab=resources`, text: /whole node/ },
    { name: "job-script", path: `${job}?tab=script`, text: /SBATCH/ },
    { name: "job-metadata", path: `${job}?tab=metadata`, text: /metadata/ },
    {
      name: "job-raw",
      path: `${job}?tab=raw`,
      text: /full precision|Every sample/,
    },
    { name: "settings", path: "/monitoring/settings", text: /Time zone/ },
    { name: "not-there", path: "/monitoring/nowhere", text: /Nothing is here/ },
  ];
}

browserTest(
  "every view is accessible, fits its screen and has its picture taken",
  async () => {
    await Deno.mkdir(SCREENS, { recursive: true });
    await using world = await WorldServer.start();
    const views = await viewsOf(world);
    const faults: string[] = [];
    for (const theme of ["light", "dark"] as const) {
      for (const isPhone of [false, true]) {
        await using visit = await Visit.start(world.url, { theme, isPhone });
        // The shell of a path that leads nowhere has this status.
        visit.expect(/404 .*\/monitoring\/nowhere/);
        await visit.go("/");
        await visit.signIn("demo-admin", PASSWORD);
        for (const { name, path, text } of views) {
          await visit.go(path);
          await visit.sees(text);
          await visit.settles();
          const size = isPhone ? "phone" : "wide";
          await visit.page.screenshot({
            path: `${SCREENS}/${name}-${theme}-${size}.png`,
          });
          const where = `${name}, ${theme}, ${size}`;
          const wider = Number(
            await visit.page.evaluate(
              "document.documentElement.scrollWidth - innerWidth",
            ),
          );
          if (wider > 0) faults.push(`${where}: ${wider} px too wide`);
          for (const fault of await axeFaults(visit)) {
            faults.push(`${where}: ${fault}`);
          }
        }
        faults.push(...visit.complaints);
      }
    }
    assert.deepEqual(faults, []);
  },
);

async function axeFaults(visit: Visit): Promise<string[]> {
  await visit.page.evaluate(axe.source);
  const found = await visit.page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((result) =>
      result.violations.map(({ id, nodes }) => id + " " + nodes[0].html.slice(0, 200)))`,
  );
  return found as string[];
}
