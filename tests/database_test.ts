/** What a server does with a database that it cannot use. */
import assert from "node:assert/strict";
import { Child } from "./support/child.ts";
import {
  makeDirectory,
  programArguments,
  workDirectory,
} from "./support/server.ts";

Deno.test("serve ends with exit code 1 and advice when main.db is no database", async () => {
  const directory = await makeDirectory();
  try {
    const db = `${directory}/job.db`;
    await Deno.writeTextFile(db, "no database ".repeat(1000));
    const configFile = `${directory}/config.json`;
    const config = {
      main: { addr: "127.0.0.1:0", db },
      metrics: { cpu_load: { frequency: 60, aggregation: null } },
      "metric-store": {
        "retention-in-memory": "48h",
        "memory-cap": 1,
        checkpoints: { directory: `${directory}/checkpoints` },
      },
      archive: { kind: "file", path: `${directory}/job-archive` },
    };
    await Deno.writeTextFile(configFile, JSON.stringify(config));
    const child = new Child({
      command: Deno.execPath(),
      args: [...programArguments(), "-config", configFile],
      cwd: workDirectory(),
    });
    const { code } = await child.ended();
    assert.equal(code, 1, child.output);
    assert.match(
      child.output,
      /ringstore: .*job\.db cannot be opened: .*not a database.*backup/,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
