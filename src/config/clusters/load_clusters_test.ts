import assert from "node:assert/strict";
import { ConfigError } from "../settings/config_error.ts";
import { CLUSTERS_DIRECTORY } from "../../../tests/support/clusters.ts";
import { prepareArchive } from "./archive_version.ts";
import { loadClusters } from "./load_clusters.ts";

async function inDirectory(
  test: (directory: string) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function put(directory: string, folder: string, text?: string): void {
  Deno.mkdirSync(`${directory}/${folder}`);
  if (text !== undefined) {
    Deno.writeTextFileSync(`${directory}/${folder}/cluster.json`, text);
  }
}

function messageOf(directory: string): string {
  try {
    loadClusters(directory);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.replaceAll(directory, "DIR");
  }
  return "";
}

const MINIMAL = JSON.stringify({
  name: "alpha",
  subClusters: [{ name: "main" }],
  metricConfig: [{ name: "load", timestep: 60 }],
});

Deno.test("loadClusters() finds no clusters and makes nothing where there is no archive", async () => {
  await inDirectory((directory) => {
    const { catalog, notes } = loadClusters(`${directory}/none`);
    assert.deepEqual(catalog.names, []);
    assert.deepEqual(notes, []);
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  });
});

Deno.test("loadClusters() turns an empty directory into an archive", async () => {
  await inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/.keep`, "");
    assert.deepEqual(loadClusters(directory).catalog.names, []);
    assert.equal(Deno.readTextFileSync(`${directory}/version.txt`), "3\n");
    assert.deepEqual(loadClusters(directory).catalog.names, []);
  });
});

Deno.test("prepareArchive() makes directory and version, and leaves what is there", async () => {
  await inDirectory((directory) => {
    const archive = `${directory}/a/b`;
    prepareArchive(archive);
    prepareArchive(archive);
    assert.equal(Deno.readTextFileSync(`${archive}/version.txt`), "3\n");
  });
});

Deno.test("loadClusters() reads every directory of the archive", async () => {
  await inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/version.txt`, "3");
    Deno.writeTextFileSync(`${directory}/compress.txt`, "0");
    put(directory, "lost+found");
    put(directory, ".snapshots");
    for (const name of ["fritz", "alex", "emmy"]) {
      const file = new URL(`${name}.json`, CLUSTERS_DIRECTORY);
      put(directory, name, Deno.readTextFileSync(file));
    }
    put(directory, "beta", MINIMAL);
    const { catalog, notes } = loadClusters(directory);
    assert.deepEqual(catalog.names, ["alex", "alpha", "emmy", "fritz"]);
    assert.equal(notes.length, 1);
    assert.match(notes[0]?.message ?? "", /beta.*"alpha"/);
  });
});

Deno.test("loadClusters() refuses archives of other versions and directories that are none", async () => {
  await inDirectory((directory) => {
    put(directory, "alpha", MINIMAL);
    assert.equal(
      messageOf(directory),
      "DIR/version.txt: missing beside alpha, expected a file with 3, or an empty directory",
    );
    for (const version of ["2", "", "3.1"]) {
      Deno.writeTextFileSync(`${directory}/version.txt`, version);
      assert.match(
        messageOf(directory),
        new RegExp(`^DIR/version.txt: got "${version}", expected 3; `),
      );
    }
  });
});

Deno.test("loadClusters() lists the problems of all clusters", async () => {
  await inDirectory((directory) => {
    prepareArchive(directory);
    put(directory, "a");
    put(directory, "b", "{");
    put(directory, "c", MINIMAL.replace("60", "0"));
    put(directory, "d", MINIMAL);
    put(directory, "e", MINIMAL);
    const lines = messageOf(directory).split("\n");
    assert.equal(lines.length, 4);
    assert.match(lines[0] ?? "", /^DIR\/a\/cluster\.json: cannot be read/);
    assert.match(lines[1] ?? "", /^DIR\/b\/cluster\.json:1:2: is not JSON/);
    assert.match(
      lines[2] ?? "",
      /^DIR\/c\/cluster\.json:1:\d+: metricConfig\.0\.timestep: got 0, expected seconds/,
    );
    assert.equal(
      lines[3],
      'DIR/e/cluster.json: name: got "alpha" again, expected a name that no other cluster has',
    );
  });
});
