/**
 * The pages in a real browser, against the bounds of web 7: bytes, time to the first
 * plot, a job of 64 nodes with 20 metrics over 24 hours, crosshair, zoom, the list, and
 * the build itself. Medians of five; with `--small` one round of a small job.
 */
import { gzipSync } from "node:zlib";
import type { Page } from "puppeteer-core";
import { monotonicMs, nowSec } from "../src/base/clock.ts";
import { manifestSchema } from "../src/web/build/manifest.ts";
import { ROOT } from "../tests/support/server.ts";
import { Visit } from "../tests/web/support/browser.ts";
import { PASSWORD, WorldServer } from "../tests/web/support/world_server.ts";
import {
  type BenchArguments,
  parseBenchArguments,
} from "./support/arguments.ts";
import { median, print, quantile, writeResult } from "./support/report.ts";

const CLUSTER = "wide";
const STEP_SEC = 60;
const BATCH_STEPS = 60;
const JOBS = 60;
const MOVES = 100;

export interface WebBenchRow {
  /** Like `B4`, as in the contract. */
  readonly budget: string;
  readonly work: string;
  readonly bound: number;
  readonly measured: number;
  readonly unit: "kB" | "ms";
}

interface Size {
  readonly nodes: number;
  readonly metrics: number;
  readonly hours: number;
  readonly rounds: number;
}

export async function runWebBench(
  args: BenchArguments,
): Promise<WebBenchRow[]> {
  const size: Size = args.small
    ? { nodes: 8, metrics: 6, hours: 1, rounds: 1 }
    : { nodes: 64, metrics: 20, hours: 24, rounds: args.repeat ?? 5 };
  const rows = [...bytes(), ...await build(size), ...await pages(size)];
  for (const { budget, work, bound, measured, unit } of rows) {
    const mark = measured <= bound ? "" : "  over";
    print(
      `${budget.padEnd(4)} ${work.padEnd(44)} ${
        measured.toFixed(0).padStart(6)
      } of ${bound} ${unit}${mark}`,
    );
  }
  return rows;
}

/** web B1: what a browser loads, compressed. */
function bytes(): WebBenchRow[] {
  const folder = `${ROOT}dist/web`;
  const { files, script, style } = manifestSchema.parse(
    JSON.parse(Deno.readTextFileSync(`${folder}/manifest.json`)),
  );
  const size = (name: string) =>
    gzipSync(Deno.readFileSync(`${folder}/${name}`)).length / 1000;
  const names = Object.keys(files);
  const imports = (name: string): string[] => {
    const text = Deno.readTextFileSync(`${folder}/${name}`);
    const found = [...text.matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g)]
      .map(([, file]) => file!);
    return [name, ...found.flatMap(imports)];
  };
  const sum = (list: Iterable<string>) =>
    [...new Set(list)].reduce((total, name) => total + size(name), 0);
  const entry = [...imports(script), style];
  const view = (name: string) => {
    const file = names.find((one) => one.startsWith(`${name}-`))!;
    return imports(file).filter((one) => !entry.includes(one));
  };
  return [
    row("B1", "bytes of the entry", 35, sum(entry), "kB"),
    row("B1", "bytes of the job with its plots", 50, sum(view("job")), "kB"),
    row("B1", "bytes of the list of jobs", 15, sum(view("jobs")), "kB"),
    row("B1", "bytes of everything", 150, sum(names), "kB"),
  ];
}

function row(
  budget: string,
  work: string,
  bound: number,
  measured: number,
  unit: "kB" | "ms",
): WebBenchRow {
  return { budget, work, bound, measured, unit };
}

/** web B11: the build, at first and with nothing changed. */
async function build({ rounds }: Size): Promise<WebBenchRow[]> {
  const manifest = `${ROOT}dist/web/manifest.json`;
  const [first, again]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    await Deno.remove(manifest);
    first.push(await timed(runBuild));
    again.push(await timed(runBuild));
  }
  return [
    row("B11", "the build, first", 1500, median(first), "ms"),
    row("B11", "the build, nothing changed", 60, median(again), "ms"),
  ];
}

async function runBuild(): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--unstable-bundle",
      "--allow-read",
      "--allow-write=dist",
      "src/web/build/build.ts",
    ],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error("the pages were not built");
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = monotonicMs();
  await work();
  return monotonicMs() - start;
}

async function pages(size: Size): Promise<WebBenchRow[]> {
  const metrics = Array.from(
    { length: size.metrics },
    (_, i) => `metric_${i + 1}`,
  );
  const now = nowSec();
  await using world = await WorldServer.start({
    isEmpty: true,
    server: {
      metrics: {},
      prepare: (directory) => writeCluster(directory, metrics, size.nodes),
    },
  });
  await fill(world, metrics, size, now);
  const id = await world.rowId(1);
  await using visit = await Visit.start(world.url);
  await visit.go("/");
  await visit.signIn("demo-admin", PASSWORD);
  await visit.settles();
  const { page } = visit;
  const seen: Record<string, number[]> = {};
  const note = (name: string, value: number) => (seen[name] ??= []).push(value);
  const cdp = await page.createCDPSession();
  for (let i = 0; i < size.rounds; i++) {
    await cdp.send("Network.clearBrowserCache");
    await visit.go(`/monitoring/job/${id}`);
    note("cold", await plotsDrawn(page, 1));
    await visit.settles();
    await visit.go(`/monitoring/job/${id}`);
    note("cached", await plotsDrawn(page, 1));
    note("six", await plotsDrawn(page, Math.min(6, size.metrics)));
    await visit.settles();
    note("bytes", await seriesBytes(page));
    note("lines", await untilLines(page, size.nodes));
    note("lineBytes", await lastSeriesBytes(page));
    await visit.settles();
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    await plotsDrawn(page, size.metrics);
    for (const ms of await crosshair(page)) note("cross", ms);
    const start = monotonicMs();
    await page.focus(".plot-area");
    await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/series")),
      page.keyboard.press("+"),
    ]);
    await frames(page);
    note("zoom", monotonicMs() - start);
    await visit.go("/monitoring/jobs/");
    await page.waitForSelector("tbody tr");
    await frames(page);
    note("list", Number(await page.evaluate("performance.now()")));
    await visit.settles();
  }
  visit.assertQuiet();
  const middle = (name: string) => median(seen[name]!);
  return [
    row("B2", "cold load to the first plot", 500, middle("cold"), "ms"),
    row("B3", "cached load to the first plot", 350, middle("cached"), "ms"),
    row("B4", "a large job: head and six bands", 800, middle("six"), "ms"),
    row(
      "B5",
      "its samples before scrolling",
      250,
      middle("bytes") / 1000,
      "kB",
    ),
    row(
      "B5",
      "lines of one metric, click to drawn",
      150,
      middle("lines"),
      "ms",
    ),
    row("B5", "their bytes", 160, middle("lineBytes") / 1000, "kB"),
    row(
      "B8",
      "crosshair over all plots, p95",
      16,
      quantile(seen.cross!, 0.95),
      "ms",
    ),
    row("B8", "zoom to new data", 300, middle("zoom"), "ms"),
    row("B10", "list of 50 jobs, drawn", 300, middle("list"), "ms"),
  ];
}

/** Milliseconds since the navigation when so many plots were drawn. */
async function plotsDrawn(page: Page, count: number): Promise<number> {
  await page.waitForFunction(
    `document.querySelectorAll(".plot-area canvas").length >= ${count}`,
    { polling: "raf" },
  );
  await frames(page);
  return Number(await page.evaluate("performance.now()"));
}

/** Two frames: what was to be drawn is on the screen then. */
async function frames(page: Page): Promise<void> {
  await page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
  );
}

const SERIES = `performance.getEntriesByType("resource")
  .filter(({ name }) => name.endsWith("/series"))
  .map(({ encodedBodySize }) => encodedBodySize)`;

async function seriesBytes(page: Page): Promise<number> {
  return Number(
    await page.evaluate(`${SERIES}.reduce((sum, size) => sum + size, 0)`),
  );
}

async function lastSeriesBytes(page: Page): Promise<number> {
  return Number(await page.evaluate(`${SERIES}.at(-1)`));
}

/** From the click on `lines` of the first plot until they are on the screen. */
async function untilLines(page: Page, nodes: number): Promise<number> {
  return Number(
    await page.evaluate(`(async () => {
      const plot = document.querySelector(".plot");
      const button = (text) => [...plot.querySelectorAll("button")]
        .find(({ textContent }) => textContent === text);
      const label = () => plot.querySelector(".plot-area")?.getAttribute("aria-label") ?? "";
      button("band").click();
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      while (!label().includes("minimum")) await frame();
      const start = performance.now();
      button("lines").click();
      while (!label().includes("${nodes} series")) await frame();
      await frame();
      return performance.now() - start;
    })()`),
  );
}

/** Milliseconds of script and layout for each move of the pointer over a plot. */
async function crosshair(page: Page): Promise<number[]> {
  return await page.evaluate(`(async () => {
    const over = document.querySelector(".plot .u-over");
    const area = over.closest(".plot-area");
    const box = over.getBoundingClientRect();
    area.dispatchEvent(new PointerEvent("pointerenter"));
    over.dispatchEvent(new MouseEvent("mouseenter"));
    const took = [];
    for (let i = 0; i < ${MOVES}; i++) {
      const start = performance.now();
      over.dispatchEvent(new MouseEvent("mousemove", {
        bubbles: true,
        clientX: box.left + (box.width * i) / ${MOVES},
        clientY: box.top + 40,
      }));
      document.body.offsetHeight;
      took.push(performance.now() - start);
      await new Promise((done) => requestAnimationFrame(done));
    }
    return took;
  })()`) as number[];
}

async function writeCluster(
  directory: string,
  metrics: readonly string[],
  nodes: number,
): Promise<void> {
  const folder = `${directory}/job-archive/${CLUSTER}`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${directory}/job-archive/version.txt`, "3\n");
  const value = { unit: { base: "F/s", prefix: "G" }, value: 100 };
  await Deno.writeTextFile(
    `${folder}/cluster.json`,
    JSON.stringify({
      name: CLUSTER,
      subClusters: [{
        name: "main",
        nodes: `w[001-${String(nodes).padStart(3, "0")}]`,
        processorType: "Made-up",
        socketsPerNode: 1,
        coresPerSocket: 2,
        threadsPerCore: 1,
        flopRateScalar: value,
        flopRateSimd: value,
        memoryBandwidth: value,
        topology: {
          node: [0, 1],
          socket: [[0, 1]],
          memoryDomain: [[0, 1]],
          core: [[0], [1]],
        },
      }],
      metricConfig: metrics.map((name, index) => ({
        name,
        unit: { base: "W" },
        scope: "node",
        timestep: STEP_SEC,
        aggregation: "avg",
        peak: 100,
        normal: 80,
        caution: 40,
        alert: 20,
        ...(index === 0 ? { footprint: "avg" } : {}),
      })),
    }),
  );
}

function hostName(index: number): string {
  return `w${String(index + 1).padStart(3, "0")}`;
}

/** Samples of all nodes, the large job, and small ones for the list. */
async function fill(
  world: WorldServer,
  metrics: readonly string[],
  size: Size,
  now: number,
): Promise<void> {
  const steps = size.hours * 60;
  for (let from = 0; from < steps; from += BATCH_STEPS) {
    let body = "";
    for (let step = from; step < Math.min(steps, from + BATCH_STEPS); step++) {
      const sec = now - (steps - step) * STEP_SEC;
      for (let node = 0; node < size.nodes; node++) {
        metrics.forEach((metric, index) => {
          const value = 50 + 30 * Math.sin(step / 40 + index) +
            ((node * 7 + step * 3) % 11);
          body += `${metric},hostname=${hostName(node)},type=node value=${
            value.toFixed(2)
          } ${sec}\n`;
        });
      }
    }
    const response = await fetch(`${world.url}/api/write?cluster=${CLUSTER}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${world.sender.token}` },
      body,
    });
    if (!response.ok) throw new Error(await response.text());
  }
  const start = (jobId: number, nodes: number, startTime: number) =>
    world.post("/api/jobs/start_job/", {
      jobId,
      cluster: CLUSTER,
      user: "eve",
      project: "p",
      startTime,
      numNodes: nodes,
      resources: Array.from(
        { length: nodes },
        (_, i) => ({ hostname: hostName(i) }),
      ),
    });
  await start(1, size.nodes, now - size.hours * 3600 + STEP_SEC);
  for (let i = 0; i < JOBS; i++) await start(100 + i, 1, now - 3600 + i);
}

if (import.meta.main) {
  const args = parseBenchArguments(Deno.args);
  const rows = await runWebBench(args);
  if (args.out !== undefined) await writeResult(args.out, rows);
}
