/**
 * The README's own commands, run as they stand there: on a clean copy of the
 * checkout, with the shipped configuration moved to a free port. What runs are
 * the `sh` blocks between `<!-- test:start -->` and `<!-- test:end -->`.
 */
import assert from "node:assert/strict";
import { delimiter, dirname } from "node:path";
import { Child, freePort } from "./support/child.ts";
import { ROOT, startArguments } from "./support/server.ts";

const README_ADDRESS = "localhost:8082";
/** What a clean clone needs to run; no `var` with keys from elsewhere. */
const COPIED = [
  "main.ts",
  "deno.json",
  "deno.lock",
  "config.json",
  "api",
  "src",
  "workers",
];
const START_MS = 20_000;

Deno.test("README's commands work on a clean copy", async () => {
  const blocks = testedBlocks(Deno.readTextFileSync(`${ROOT}README.md`));
  assert.ok(blocks.length > 0, "the README has no blocks marked for testing");

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
    const server = new Child({
      command: Deno.execPath(),
      args: startArguments(),
      cwd: directory,
    });
    try {
      await server.untilAnswers(`http://${address}/ready`, 200, START_MS);
      const output = await runShell(
        blocks.join("\n").replaceAll(README_ADDRESS, address),
        directory,
      );
      assert.match(
        output,
        /"results":\[\[\{"data":\[/,
        `no query of the README found data:\n${output}`,
      );
    } finally {
      await server.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** The `sh` blocks in the marked parts, without the command that starts the server. */
function testedBlocks(readme: string): string[] {
  const parts = readme.matchAll(
    /<!-- test:start -->([\s\S]*?)<!-- test:end -->/g,
  );
  return [...parts].flatMap((
    part,
  ) => [...(part[1] ?? "").matchAll(/^```sh\n([\s\S]*?)^```$/gm)]).map((
    block,
  ) => (block[1] ?? "").replace(/^deno task start$/gm, ""));
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
    commands,
  ].join("\n");
  const shell = new Child({
    command: "bash",
    args: ["-c", script],
    cwd,
    env: {
      NO_COLOR: "1",
      PATH: `${dirname(Deno.execPath())}${delimiter}${
        Deno.env.get("PATH") ?? ""
      }`,
    },
  });
  const { code } = await shell.ended();
  assert.equal(code, 0, `${commands}\nended with ${code}:\n${shell.output}`);
  return shell.output;
}
