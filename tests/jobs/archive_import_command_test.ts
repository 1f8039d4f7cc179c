/** `ringstore archive import` and `verify` with archives of all kinds, with the real program. */
import assert from "node:assert/strict";
import { loadSetup } from "../../src/config/clusters/load_setup.ts";
import { loadConfig } from "../../src/config/settings/mod.ts";
import { openDatabase } from "../../src/db/database.ts";
import { databaseOptions } from "../../src/db/database_options.ts";
import { makeDirectory } from "../support/server.ts";
import { runRingstore } from "../support/job_server.ts";
import { placeRealJob } from "../support/real_job_archive.ts";

const CLUSTERS = new URL("../testdata/clusters/", import.meta.url);
const JOB = "emmy/1403/244/1608923076";

/** A configuration with an archive that has the cluster fritz, and one elsewhere. */
class Place implements AsyncDisposable {
  readonly config: string;
  readonly archive: string;
  readonly source: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.config = `${directory}/config.json`;
    this.archive = `${directory}/job-archive`;
    this.source = `${directory}/elsewhere`;
  }

  static async create(): Promise<Place> {
    const place = new Place(await makeDirectory());
    const directory = place.#directory;
    Deno.writeTextFileSync(
      place.config,
      JSON.stringify({
        main: { db: `${directory}/job.db` },
        "metric-store": {
          "retention-in-memory": "48h",
          "memory-cap": 1,
          checkpoints: { directory: `${directory}/checkpoints` },
        },
        archive: { path: place.archive },
      }),
    );
    Deno.mkdirSync(place.archive);
    Deno.writeTextFileSync(`${place.archive}/version.txt`, "3\n");
    place.addCluster(place.archive, "fritz");
    placeRealJob(place.source);
    return place;
  }

  addCluster(
    root: string,
    name: string,
    edit: (text: string) => string = (text) => text,
  ): void {
    Deno.mkdirSync(`${root}/${name}`, { recursive: true });
    const text = Deno.readTextFileSync(new URL(`${name}.json`, CLUSTERS));
    Deno.writeTextFileSync(`${root}/${name}/cluster.json`, edit(text));
  }

  /** Changes a file of the real job elsewhere. */
  editMeta(edit: Record<string, unknown>): void {
    const file = `${this.source}/${JOB}/meta.json`;
    const meta = JSON.parse(Deno.readTextFileSync(file));
    Deno.writeTextFileSync(file, JSON.stringify({ ...meta, ...edit }));
  }

  /** What a command prints that ends well, or, where it `fails`, does not. */
  async run(words: readonly string[], fails = false): Promise<string> {
    const { success, stdout, stderr } = await runRingstore(
      ["archive", ...words],
      this.config,
    );
    assert.equal(success, !fails, stdout + stderr);
    return stdout + stderr;
  }

  import(fails = false): Promise<string> {
    return this.run(["import", this.source], fails);
  }

  /** Jobs of the database. */
  jobs(): { state: string; duration: number }[] {
    const { config } = loadConfig(this.config);
    using database = openDatabase(databaseOptions(config));
    return database.tables.jobs.list({}, { limit: 10, offset: 0 })
      .map(({ jobState, duration }) => ({ state: jobState, duration }));
  }

  names(): string[] {
    return [...Deno.readDirSync(this.archive)].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

Deno.test("archive import refuses a cluster that a server would not start with, and takes in the others", async () => {
  await using place = await Place.create();
  // Units as one text, as in examples of ClusterCockpit.
  place.addCluster(
    place.source,
    "emmy",
    (text) => text.replaceAll(/"unit":\s*\{[^}]*\}/g, '"unit":"MHz"'),
  );
  place.addCluster(place.source, "alex");
  Deno.renameSync(`${place.source}/alex`, `${place.source}/renamed`);
  const output = await place.import(true);
  assert.match(
    output,
    /elsewhere\/emmy: nothing of this cluster is taken in: /,
  );
  assert.match(output, /emmy\/cluster\.json:\d+:\d+: metricConfig\.0\.unit: /);
  assert.match(
    output,
    /renamed: nothing .*name: got "alex", expected "renamed", the name of its directory/,
  );
  assert.match(
    output,
    /^0 jobs of \S*elsewhere are in \S*, 0 of them new there$/m,
  );
  assert.deepEqual(place.names(), ["fritz", "version.txt"]);
  loadSetup(place.config);
});

Deno.test("archive import takes no cluster without its configuration, but where ours has it", async () => {
  await using place = await Place.create();
  const output = await place.import(true);
  assert.match(
    output,
    /emmy: nothing of this cluster is taken in: .*cluster\.json/,
  );
  assert.deepEqual(place.names(), ["fritz", "version.txt"]);
  loadSetup(place.config);

  place.addCluster(place.archive, "emmy");
  for (const isNew of [1, 0]) {
    assert.match(
      await place.import(),
      new RegExp(
        `^1 jobs of \\S*elsewhere are in \\S*job-archive, ${isNew} of them new there\n` +
          `${isNew} jobs were new to \\S*job\\.db$`,
        "m",
      ),
    );
  }
  loadSetup(place.config);
});

Deno.test("archive import takes the configuration of a cluster along with its jobs", async () => {
  await using place = await Place.create();
  place.addCluster(place.source, "emmy");
  await place.import();
  assert.deepEqual(place.names(), ["emmy", "fritz", "version.txt"]);
  assert.deepEqual(
    Deno.readTextFileSync(`${place.archive}/emmy/cluster.json`),
    Deno.readTextFileSync(`${place.source}/emmy/cluster.json`),
  );
  assert.ok(loadSetup(place.config).clusters.get("emmy") !== undefined);
});

Deno.test("archive import and verify look at the version of an archive elsewhere, and write nothing there", async () => {
  await using place = await Place.create();
  place.addCluster(place.source, "emmy");
  Deno.writeTextFileSync(`${place.source}/version.txt`, "1\n");
  for (const word of ["import", "verify"]) {
    assert.match(
      await place.run([word, place.source], true),
      /elsewhere\/version\.txt: got "1", expected 3; archives of other versions/,
    );
  }
  assert.deepEqual(place.names(), ["fritz", "version.txt"]);
  Deno.removeSync(`${place.source}/version.txt`);
  assert.match(
    await place.run(["verify", place.source]),
    /^1 jobs in \S*elsewhere are good$/m,
  );
  assert.throws(() => Deno.statSync(`${place.source}/version.txt`));
  assert.match(
    await place.run(["verify", `${place.source}/none`], true),
    /none/,
  );
});

Deno.test("archive import reads the words of older archives, and says so once", async () => {
  for (
    const [old, now] of [
      ["stopped", "cancelled"],
      ["canceled", "cancelled"],
      // It does not run in the archive.
      ["running", "failed"],
    ] as const
  ) {
    await using place = await Place.create();
    place.addCluster(place.source, "emmy");
    place.editMeta({ jobState: old });
    const output = await place.import();
    assert.match(output, /^1 jobs were new to /m);
    const said = `jobState "${old}" is read as "${now}" in 1 jobs\n`;
    assert.equal(output.split(said).length, 2, output);
    assert.deepEqual(place.jobs(), [{ state: now, duration: 86_486 }]);
  }
});
