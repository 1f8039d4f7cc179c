/**
 * `deno task demo`: the server with a made-up cluster that is alive, to look around in
 * (web 15.16). It listens on 127.0.0.1:8083 and keeps everything in `var/demo`, which
 * is cleared at each start, but only if an earlier demo made it.
 */
import { isThere, parentOf } from "../../base/paths.ts";
import project from "../../../deno.json" with { type: "json" };
import { monotonicMs, nowSec } from "../../base/clock.ts";
import {
  DEMO_STEP_SEC,
  type DemoServer,
  fillJobs,
  fillSamples,
  fillStates,
} from "./fill.ts";
import { DemoSamples } from "./samples.ts";
import { DEMO_CLUSTER, type DemoWorld, demoWorld } from "./world.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const HOME = `${ROOT}var/demo`;
const MARKER = `${HOME}/.ringstore-demo`;
const ADDRESS = "127.0.0.1:8083";
const NODES = 200;
const HOURS = 4;
const READY_MS = 30_000;
const LOOK_MS = 100;
const STATES_SEC = 60;

const USERS = [
  { name: "demo-admin", roles: "admin", projects: "" },
  { name: "demo-support", roles: "support", projects: "" },
  { name: "demo-manager", roles: "manager", projects: "p-climate" },
  { name: "demo-user", roles: "user", projects: "" },
];

async function main(): Promise<void> {
  clearHome();
  const world = demoWorld({ nodes: NODES, hours: HOURS, nowSec: nowSec() });
  writeFiles(world);
  const passwords = new Map<string, string>();
  for (const { name, roles, projects } of USERS) {
    const password = randomPassword();
    passwords.set(name, password);
    await run(
      [
        "user",
        "add",
        name,
        "--roles",
        roles,
        ...(projects ? ["--projects", projects] : []),
      ],
      `${password}\n`,
    );
  }
  await run(["archive", "init-db"]);
  const token =
    (await run(["token", "--user", "demo-sender", "--roles", "api"])).trim();
  const server = command([], "null").spawn();
  const stop = () => server.kill("SIGTERM");
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  try {
    await untilReady();
    await fill({ url: `http://${ADDRESS}`, token }, world);
    say(`
  http://${ADDRESS}/

  ${
      USERS.map(({ name }) => `${name.padEnd(14)} ${passwords.get(name)}`).join(
        "\n  ",
      )
    }

  Jobs to look at: ${world.sickJobId} has nodes that stand still; 1403244 is a real
  one, out of the archive. Node ${world.idle} is idle, ${world.down} is down, and ${world.silent}
  sends nothing. Ctrl-C ends the demo.
`);
    const { code } = await server.status;
    Deno.exitCode = code;
  } catch (error) {
    server.kill("SIGTERM");
    await server.status;
    throw error;
  }
}

/** Only what an earlier demo made is removed. */
function clearHome(): void {
  const isOld = isThere(HOME);
  if (isOld && !isThere(MARKER)) {
    throw new Error(`${HOME} was not made by a demo: move it away first`);
  }
  if (isOld) Deno.removeSync(HOME, { recursive: true });
  Deno.mkdirSync(`${HOME}/var`, { recursive: true });
  Deno.writeTextFileSync(MARKER, "deno task demo clears this directory\n");
}

/** The configuration, and an archive with the cluster and a real job in it. */
function writeFiles(world: DemoWorld): void {
  const archive = `${HOME}/var/job-archive`;
  const put = (path: string, bytes: Uint8Array | string) => {
    Deno.mkdirSync(parentOf(path), { recursive: true });
    if (typeof bytes === "string") Deno.writeTextFileSync(path, bytes);
    else Deno.writeFileSync(path, bytes);
  };
  put(
    `${HOME}/config.json`,
    JSON.stringify(
      {
        main: { addr: ADDRESS, db: "./var/job.db" },
        metrics: {},
        "metric-store": {
          "retention-in-memory": "24h",
          "memory-cap": 2,
          checkpoints: { directory: "./var/checkpoints" },
        },
        archive: { path: "./var/job-archive" },
        cron: { "footprint-worker": "30s" },
      },
      null,
      2,
    ),
  );
  put(`${archive}/version.txt`, "3\n");
  put(
    `${archive}/${DEMO_CLUSTER}/cluster.json`,
    JSON.stringify(world.clusterJson, null, 1),
  );
  const real = `${ROOT}tests/testdata`;
  put(
    `${archive}/emmy/cluster.json`,
    Deno.readFileSync(`${real}/clusters/emmy.json`),
  );
  for (const file of ["meta.json", "data.json.gz"]) {
    put(
      `${archive}/emmy/1403/244/1608923076/${file}`,
      Deno.readFileSync(`${real}/emmy/1403244-${file}`),
    );
  }
}

/** Samples until now, jobs and states; then everything that comes, every 5 seconds. */
async function fill(server: DemoServer, world: DemoWorld): Promise<void> {
  const samples = new DemoSamples(world);
  const began = monotonicMs();
  const filledTo = nowSec();
  const lines = await fillSamples(
    server,
    samples,
    filledTo - HOURS * 3600,
    filledTo,
  );
  await fillJobs(server, world);
  await fillStates(server, world);
  const tookSec = ((monotonicMs() - began) / 1000).toFixed(1);
  say(
    `${
      (lines / 1e6).toFixed(1)
    } million samples and ${world.jobs.length} jobs in ${tookSec} s`,
  );
  let sentTo = filledTo;
  let statesAt = filledTo;
  const send = async () => {
    try {
      const now = nowSec();
      await fillSamples(server, samples, sentTo + 1, now);
      sentTo = now;
      if (now - statesAt >= STATES_SEC) {
        statesAt = now;
        await fillStates(server, world);
      }
    } catch (error) {
      // The server may be ending; what is missed is sent with the next.
      say(`not sent: ${error instanceof Error ? error.message : error}`);
    }
    Deno.unrefTimer(setTimeout(send, DEMO_STEP_SEC * 1000));
  };
  Deno.unrefTimer(setTimeout(send, DEMO_STEP_SEC * 1000));
}

/** The program with the permissions of the start task, at home in the demo's folder. */
function command(
  args: readonly string[],
  stdin: "null" | "piped",
): Deno.Command {
  const words = project.tasks.start.command.split(/\s+/).slice(1)
    .map((word) => word === "main.ts" ? `${ROOT}main.ts` : word);
  return new Deno.Command(Deno.execPath(), {
    args: [
      words[0]!,
      `--config=${ROOT}deno.json`,
      ...words.slice(1),
      "-config",
      `${HOME}/config.json`,
      ...args,
    ],
    cwd: HOME,
    stdin,
    stdout: args.length === 0 ? "inherit" : "piped",
    stderr: args.length === 0 ? "inherit" : "piped",
  });
}

/** A command of the program, to its end; gives what it printed. */
async function run(args: readonly string[], input = ""): Promise<string> {
  const child = command(args, "piped").spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${args.join(" ")}: ${decoder.decode(stderr)}`);
}

async function untilReady(): Promise<void> {
  const end = monotonicMs() + READY_MS;
  while (monotonicMs() < end) {
    try {
      const response = await fetch(`http://${ADDRESS}/ready`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // Nobody listens there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`${ADDRESS} was not ready within ${READY_MS / 1000} s`);
}

function randomPassword(): string {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from(
    crypto.getRandomValues(new Uint8Array(12)),
    (byte) => letters[byte % letters.length],
  ).join("");
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) await main();
