/** Who may read and change what a server keeps. */
import assert from "node:assert/strict";
import { runRingstore } from "./support/job_server.ts";
import { TestServer, workDirectory } from "./support/server.ts";

const METRICS = { m: { frequency: 60, aggregation: "avg" } } as const;

/** Paths below a directory that others than their owner can read or change. */
function openPaths(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    const isOpen = (Deno.lstatSync(path).mode! & 0o077) !== 0;
    return [
      ...(isOpen ? [path] : []),
      ...(isDirectory ? openPaths(path) : []),
    ];
  });
}

Deno.test("what a server makes is its owner's alone, whatever the umask, and closes what was open", async () => {
  const umask = Deno.umask(0o022);
  try {
    await using server = await TestServer.start({
      metrics: METRICS,
      main: { "machine-state-dir": "./var/states", "jwt-public-key": "" },
      sections: { archive: {} },
      prepare: async (directory) => {
        await Deno.mkdir(`${directory}/checkpoints/ringstore`, {
          recursive: true,
        });
        await Deno.mkdir(`${workDirectory()}/var/job-archive`);
        Deno.umask(umask);
      },
    });
    const work = `${workDirectory()}/var`;
    assert.deepEqual(
      openPaths(`${server.directory}/checkpoints/ringstore`),
      [],
    );
    assert.deepEqual(openPaths(`${work}/keys`), []);
    assert.deepEqual(openPaths(`${work}/job-archive`), []);
    for (
      const path of [
        `${server.directory}/checkpoints/ringstore`,
        `${work}/keys`,
      ]
    ) {
      assert.equal(Deno.statSync(path).mode! & 0o777, 0o700, path);
    }
    for (const name of ["job.db", "job.db-wal", "job.db.lock"]) {
      const { mode } = Deno.statSync(`${server.directory}/${name}`);
      assert.equal(mode! & 0o777, 0o600, name);
    }

    // A key that others could have put there is none to sign with.
    const key = `${work}/keys/jwt-private-key`;
    Deno.chmodSync(key, 0o666);
    const refused = await runRingstore(
      ["token", "--user", "me", "--roles", "api"],
      `${server.directory}/config.json`,
    );
    assert.equal(refused.success, false);
    assert.match(
      refused.stderr,
      /jwt-private-key: others than its owner may change this key \(mode 0666\); chmod go-w /,
    );
    Deno.chmodSync(key, 0o600);
  } finally {
    Deno.umask(umask);
  }
});
