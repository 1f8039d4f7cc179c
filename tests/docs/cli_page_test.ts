/** That docs/cli.md has every command, and what each says with `--help`. */
import assert from "node:assert/strict";
import { usage } from "../../src/app/cli/command_line.ts";
import { ROOT } from "../support/server.ts";

const PAGE = await Deno.readTextFile(`${ROOT}docs/cli.md`);

/** What the page says that `--help` prints, by command; `""`: the server. */
const PRINTED = new Map(
  [...PAGE.matchAll(/<!-- help ?(\S*) -->\s*```text\n([^]*?)\n```/g)]
    .map((match): [string, string] => [match[1] ?? "", match[2] ?? ""]),
);

/** The commands there are, from the help of all of them. */
function commands(): string[] {
  const [, list = ""] = usage().split("\nCommands:\n");
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1]!);
}

Deno.test("docs/cli.md has every command, and no other", () => {
  const named = [...PRINTED.keys()].filter((name) => name !== "");
  assert.ok(named.length > 5, "the page has lost its commands");
  assert.deepEqual(named.toSorted(), commands().toSorted());
});

Deno.test("docs/cli.md has what each command says with --help", () => {
  for (const name of commands()) {
    assert.equal(
      PRINTED.get(name),
      usage(name),
      `docs/cli.md, ${name}: put there what \`ringstore ${name} --help\` says`,
    );
  }
});

Deno.test("docs/cli.md has the flags of the server", () => {
  const [server = ""] = usage().split("\n\nCommands:\n");
  assert.equal(PRINTED.get(""), server);
});
