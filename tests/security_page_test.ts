/** That docs/SECURITY.md promises what tests show, and that its unit file works. */
import assert from "node:assert/strict";
import { Child } from "./support/child.ts";
import { textFiles } from "./support/files.ts";
import { makeDirectory, ROOT, workDirectory } from "./support/server.ts";

const WAIT_MS = 20_000;
const PAGE = await Deno.readTextFile(`${ROOT}docs/SECURITY.md`);
/** Advice to operators, and facts about others. */
const ADVICE = [
  /^Whoever may publish on the NATS/,
  /^The broker, ClickHouse/,
  /^Reading through links/,
  /^`--allow-sys` has no/,
];

/** Points of its lists, each as one line. */
function points(): string[] {
  return PAGE.split(/\n(?=- |\n)/).filter((part) => part.startsWith("- "))
    .map((part) => part.slice(2).replace(/\s+/g, " "));
}

function shownBy(point: string): string[] {
  const [, names = ""] = point.split("Shown by: ");
  return [...names.matchAll(/"([^"]+)"/g)].map((match) => match[1]!);
}

Deno.test("every point of docs/SECURITY.md names tests, or is advice", () => {
  const unproved = points().filter((point) =>
    shownBy(point).length === 0 && !ADVICE.some((words) => words.test(point))
  );
  assert.deepEqual(unproved, []);
  assert.ok(points().length > 30, "the page has lost its points");
});

Deno.test("the tests that docs/SECURITY.md names are there", () => {
  const tests = textFiles("").filter(({ path }) => path.endsWith("_test.ts"))
    .map(({ text }) => text).join("\n");
  const lost = points().flatMap(shownBy)
    .filter((name) => !tests.includes(`"${name}"`));
  assert.deepEqual(lost, []);
});

Deno.test("the server needs no more than the permissions of the unit in docs/SECURITY.md", async () => {
  const [, command = ""] = /ExecStart=\S+ ((?:.*\\\n)*.*)/.exec(PAGE) ?? [];
  const args = command.replaceAll("\\\n", " ").trim().split(/\s+/)
    // The port is a free one.
    .map((word) => word.replace("127.0.0.1:8082", "127.0.0.1"))
    // The work directory is another one than the checkout.
    .map((word) => word === "main.ts" ? `${ROOT}main.ts` : word)
    .map((word) => word.replace("--allow-read=.", `--allow-read=.,${ROOT}`));
  assert.ok(args.includes(`${ROOT}main.ts`));
  const directory = await makeDirectory();
  try {
    const config = `${directory}/config.json`;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        main: { addr: "127.0.0.1:0", db: `${directory}/job.db` },
        metrics: { cpu_load: { frequency: 60, aggregation: "avg" } },
        "metric-store": {
          "retention-in-memory": "1h",
          "memory-cap": 0,
          checkpoints: { directory: `${directory}/checkpoints` },
        },
        archive: { path: `${directory}/job-archive` },
      }),
    );
    const child = new Child({
      command: Deno.execPath(),
      args: [...args, "-config", config],
      cwd: workDirectory(),
      env: { SESSION_KEY: btoa("k".repeat(32)) },
    });
    try {
      const url = await child.until(
        "the address",
        WAIT_MS,
        () => /listening on (\S+)/.exec(child.output)?.[1],
      );
      await child.untilAnswers(`${url}/ready`, 200, WAIT_MS);
    } finally {
      await child.stop();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
