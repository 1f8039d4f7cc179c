/** The audit of a real server: on the log by default, in a file that is moved away. */
import assert from "node:assert/strict";
import { ringstore } from "./support/job_server.ts";
import { TestServer } from "./support/server.ts";

const WAIT_MS = 20_000;

Deno.test("main.audit-log has what commands and server did, also after SIGHUP", async () => {
  let file = "";
  let configuration = "";
  await using server = await TestServer.start({
    metrics: { cpu_load: { frequency: 60, aggregation: "avg" } },
    prepare: async (directory, configFile) => {
      file = `${directory}/audit.log`;
      configuration = configFile;
      const config = JSON.parse(await Deno.readTextFile(configFile));
      config.main["audit-log"] = file;
      await Deno.writeTextFile(configFile, JSON.stringify(config));
      const add = ["user", "add", "eve", "--roles", "admin"];
      await ringstore(add, configFile, "short\n");
    },
  });
  const refused = await fetch(`${server.url}/api/query`);
  await refused.body?.cancel();
  assert.equal(refused.status, 401);
  const lines = (await Deno.readTextFile(file)).trim().split("\n");
  assert.equal(lines.length, 2);
  assert.match(
    lines[0]!,
    /AUDIT changed what="user add" who="uid \d+" from="command line" object="user\/eve roles=admin /,
  );
  assert.match(
    lines[1]!,
    /AUDIT access refused reason=unauthenticated from=127.0.0.1 route=query/,
  );
  assert.match(server.child.output, /AUDIT access refused /, "at level warn");

  await Deno.rename(file, `${file}.1`);
  Deno.kill(server.child.pid, "SIGHUP");
  await server.child.until(
    "the line of the reload",
    WAIT_MS,
    async () => (await read(file))?.includes("what=reload") || undefined,
  );
  const login = await fetch(`${server.url}/login`, {
    method: "POST",
    body: new URLSearchParams({ username: "eve", password: "short" }),
    redirect: "manual",
  });
  await login.body?.cancel();
  assert.equal(login.status, 302);
  const [reload = "", entered = "", ...more] = (await Deno.readTextFile(file))
    .trim().split("\n");
  assert.match(reload, /AUDIT changed what=reload who=SIGHUP .*outcome=done$/);
  assert.match(
    entered,
    /AUDIT changed what=login who=eve from=127.0.0.1 object=session\/\S+ outcome=done$/,
  );
  assert.deepEqual(more, []);
  // A command beside the server.
  const roles = ["user", "roles", "eve", "user"];
  await ringstore(roles, configuration);
  await server.child.until(
    "what the command did, in the log of the server",
    WAIT_MS,
    () =>
      /AUDIT changed what=database who="another process" .*user eve .*user/
        .test(server.child.output) || undefined,
  );
  const all = server.child.output + await Deno.readTextFile(`${file}.1`);
  assert.ok(!all.includes("short"));
});

/** `undefined`: there is no such file yet. */
async function read(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
