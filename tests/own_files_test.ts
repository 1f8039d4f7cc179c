/**
 * Tests leave the checkout alone: `./var` is where `deno task start` keeps the user's
 * data, and other files in it are the user's as well.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { printLine } from "../src/app/cli/output.ts";
import { textFiles } from "./support/files.ts";
import { ROOT, TestServer, workDirectory } from "./support/server.ts";

Deno.test("a server of the tests keeps what it keeps by default in a directory of the tests", async () => {
  const work = workDirectory();
  assert.ok(!`${work}/`.startsWith(ROOT), work);
  await using server = await TestServer.start({
    metrics: { m: { frequency: 60, aggregation: "avg" } },
    // Nothing says where: `./var` is the place of all of it.
    main: { db: "./var/job.db", "jwt-public-key": "" },
    metricStore: { checkpoints: {} },
    sections: { archive: {} },
  });
  assert.ok(server.directory.startsWith(`${work}/var/`));
  const names = [...Deno.readDirSync(`${work}/var`)].map(({ name }) => name);
  for (const name of ["checkpoints", "job.db", "keys"]) {
    assert.ok(names.includes(name), `${name} is not among ${names}`);
  }
});

Deno.test("no test or benchmark runs the program in the checkout, or makes files there", () => {
  const wrong = [
    // The task as it stands runs where it is started; the README's does in a copy,
    // and the examples are only compared with it.
    /startArguments\(\)/,
    /makeTemp(Dir|File)(Sync)?\(\{[^}]*dir: ("|`\$\{ROOT\})/,
    /(mkdir|writeTextFile|writeFile)(Sync)?\(\s*(`\$\{ROOT\}|"\.?\/?var)/,
  ];
  const files = [...textFiles("tests/"), ...textFiles("benches/")].filter((
    { path },
  ) =>
    ![
      "tests/docs/examples_test.ts",
      "tests/own_files_test.ts",
      "tests/readme_test.ts",
      "tests/support/server.ts",
    ].includes(path)
  );
  assert.ok(
    files.length > 50,
    "the tests are among the files of the repository",
  );
  const found = files.filter(({ text }) => wrong.some((one) => one.test(text)));
  assert.deepEqual(found.map(({ path }) => path), []);
});

Deno.test("textFiles() passes over what the repository does not know, and works without git", async () => {
  const root = `${await Deno.makeTempDir()}/`;
  try {
    for (const name of ["ours.ts", "var/theirs.ts", ".hidden", "stray.md"]) {
      await Deno.mkdir(dirname(root + name), { recursive: true });
      await Deno.writeTextFile(root + name, name);
    }
    const found = () => textFiles("", root).map(({ path }) => path);
    // Nobody can tell a file of the user's from one of ours then.
    assert.deepEqual(found(), ["ours.ts", "stray.md"]);
    if (!hasGit(root)) {
      return printLine("not tested with git, which is missing");
    }
    assert.deepEqual(found(), ["ours.ts"]);
    await Deno.remove(`${root}ours.ts`);
    assert.deepEqual(found(), []);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

/** Makes the directory a repository that knows one file; false: there is no git. */
function hasGit(root: string): boolean {
  try {
    for (const args of [["init", "--quiet"], ["add", "ours.ts"]]) {
      const { success, stderr } = new Deno.Command("git", { args, cwd: root })
        .outputSync();
      assert.ok(success, new TextDecoder().decode(stderr));
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
