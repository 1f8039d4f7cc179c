/**
 * The commands of the README and of the pages that it leads to, run as they stand
 * there: on a clean copy of the checkout, with the shipped configuration moved to a
 * free port. What runs are the `sh` blocks between `<!-- test:start -->` and
 * `<!-- test:end -->`, those of a page in a shell of its own, and before the server
 * starts that of `<!-- test:before -->`. `npx` is played by the Deno that runs the
 * tests, so that nothing is downloaded.
 */
import assert from "node:assert/strict";
import { delimiter, dirname } from "node:path";
import { Child, freePort } from "./support/child.ts";
import { toolTest } from "./support/tools.ts";
import { ROOT, startArguments } from "./support/server.ts";

const README_ADDRESS = "localhost:8082";
/** What a clean clone needs to run; no `var` with keys from elsewhere. */
const COPIED = [
  "main.ts",
  "deno.json",
  "deno.lock",
  "config.json",
  "api",
  "docs",
  "src",
  "workers",
];
const START_MS = 20_000;
/** Pages with commands, in the order in which they run against one server. */
const PAGES = ["README.md", "docs/tenants.md", "docs/jobs.md"] as const;
const JOBS_PAGE = "docs/jobs.md";
const NATS_PAGE = "docs/nats.md";
const README_LINES_MAX = 200;
/** The one that the documents name, whatever runs the tests. */
const DENO_VERSION = "2.9.6";

Deno.test("the README fits on a few screens", () => {
  const lines = read("README.md").trimEnd().split("\n").length;
  assert.ok(lines <= README_LINES_MAX, `${lines} lines: move some to docs/`);
});

Deno.test("README's commands work on a clean copy", async () => {
  const directory = await Deno.makeTempDir({ prefix: "ringstore-readme-" });
  try {
    const address = `localhost:${freePort()}`;
    await copyCheckout(directory);
    const configFile = `${directory}/config.json`;
    const config = await Deno.readTextFile(configFile);
    assert.ok(config.includes(README_ADDRESS), "config.json has the address");
    await Deno.writeTextFile(
      configFile,
      config.replaceAll(README_ADDRESS, address),
    );
    await runShell(blockBefore(read(JOBS_PAGE)), directory);
    const server = new Child({
      command: Deno.execPath(),
      args: startArguments(),
      cwd: directory,
    });
    try {
      await server.untilAnswers(`http://${address}/ready`, 200, START_MS);
      const run = async (page: typeof PAGES[number]) => {
        const blocks = testedBlocks(read(page));
        assert.ok(blocks.length > 0, `${page} has no blocks for testing`);
        return await runShell(
          blocks.join("\n").replaceAll(README_ADDRESS, address),
          directory,
        );
      };
      const [readme = "", tenants = "", jobs = ""] = [
        await run(PAGES[0]),
        await run(PAGES[1]),
        await run(PAGES[2]),
      ];
      assert.match(
        readme,
        /"results":\[\[\{"data":\[/,
        `no query of the README found data:\n${readme}`,
      );
      assert.match(readme, /"resultType":"vector","result":\[\{"metric":/);
      assert.match(tenants, /"State":"full"/);
      assert.match(jobs, /"jobMetrics":\[\{"name":"cpu_load","scope":"node"/);
      assert.match(jobs, /"Data":\{"cpu_load":\{"node":[^]*"data":\[1\.5\]/);
    } finally {
      await server.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

toolTest(
  "nats",
  "the three commands of docs/nats.md bring samples",
  async () => {
    const page = read(NATS_PAGE);
    const block = /<!-- test:nats -->\s*```sh\n([\s\S]*?)```/.exec(page)?.[1];
    const commands = (block ?? "").trim().split("\n");
    assert.equal(commands.length, 3, "three commands, one a line");

    const directory = await Deno.makeTempDir({ prefix: "ringstore-readme-" });
    const running: Child[] = [];
    try {
      const address = `localhost:${freePort()}`;
      const brokerPort = String(freePort());
      const moved = (text: string) =>
        text.replaceAll(README_ADDRESS, address).replaceAll("4222", brokerPort);
      await copyCheckout(directory);
      const configFile = `${directory}/docs/examples/nats.json`;
      await Deno.writeTextFile(
        configFile,
        moved(await Deno.readTextFile(configFile)),
      );
      const [broker = "", start = "", publish = ""] = commands.map(moved);
      running.push(shell(`exec ${broker}`, directory));
      const args = startArguments();
      assert.match(start, /^npx -y deno@\S+ task start -config \S+$/);
      running.push(
        new Child({
          command: Deno.execPath(),
          args: [...args, ...start.split(" ").slice(5)],
          cwd: directory,
        }),
      );
      const server = running[1]!;
      await server.untilAnswers(`http://${address}/ready`, 200, START_MS);
      const printed = await runShell(
        // When it ends is said beside it, on standard error.
        "deno task -q token --user me --roles api 2>/dev/null",
        directory,
      );
      const authorization = `Bearer ${printed.trim()}`;
      await server.until("connection to the broker", START_MS, async () => {
        const health = await fetch(`http://${address}/health`, {
          headers: { Authorization: authorization },
        });
        return (await health.text()).includes("nats connected") || undefined;
      });
      const sent = await runShell(publish, directory);
      assert.match(sent, /^1 lines in 1 messages/m);
      await server.until("the sample", START_MS, async () => {
        const answer = await fetch(
          `http://${address}/api/healthcheck/?cluster=fritz&node=f0301&metric-names=cpu_load`,
          { headers: { Authorization: authorization } },
        );
        return (await answer.text()).includes('"State":"full"') || undefined;
      });
    } finally {
      for (const child of running.reverse()) await child.stop();
      await Deno.remove(directory, { recursive: true });
    }
  },
);

function read(page: string): string {
  return Deno.readTextFileSync(`${ROOT}${page}`);
}

/** The block that has to run before the server starts. */
function blockBefore(page: string): string {
  const block = /<!-- test:before -->\s*```sh\n([\s\S]*?)```/.exec(page)?.[1];
  assert.ok(block !== undefined, "the page has a block before the start");
  return block;
}

/** The `sh` blocks in the marked parts. */
function testedBlocks(page: string): string[] {
  const parts = page.matchAll(
    /<!-- test:start -->([\s\S]*?)<!-- test:end -->/g,
  );
  return [...parts].flatMap((
    part,
  ) => [...(part[1] ?? "").matchAll(/^```sh\n([\s\S]*?)^```$/gm)]).map((
    block,
  ) => block[1] ?? "");
}

async function copyCheckout(directory: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("cp", {
    args: ["-r", ...COPIED.map((name) => `${ROOT}${name}`), directory],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Runs commands in one shell that stops at the first failure; gives what they print. */
async function runShell(commands: string, cwd: string): Promise<string> {
  const script = [
    "set -euo pipefail",
    // An HTTP error is a failure, too, and the reason is shown.
    'curl() { command curl --silent --show-error --fail-with-body "$@"; }',
    `npx() { [ "$1 $2" = "-y deno@${DENO_VERSION}" ] && shift 2 && deno "$@"; }`,
    commands,
  ].join("\n");
  const child = shell(script, cwd);
  const { code } = await child.ended();
  assert.equal(code, 0, `${commands}\nended with ${code}:\n${child.output}`);
  return child.output;
}

/** Deno and the broker are found, wherever they are. */
function shell(script: string, cwd: string): Child {
  return new Child({
    command: "bash",
    args: ["-c", script],
    cwd,
    env: {
      NO_COLOR: "1",
      PATH: [
        dirname(Deno.execPath()),
        Deno.env.get("PATH") ?? "",
        "/usr/sbin",
      ].join(delimiter),
    },
  });
}
