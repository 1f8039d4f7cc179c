/** `ringstore archive` and the server on the archive of a real job, with the real program. */
import assert from "node:assert/strict";
import { TestClient } from "../support/client.ts";
import {
  readCredentials,
  ringstore,
  startJobServer,
} from "../support/job_server.ts";
import { placeRealJob } from "../support/real_job_archive.ts";
import { readRealJob } from "../support/real_job.ts";

Deno.test("a real job is imported, verified, found, listed, and its data answered sample for sample", async (t) => {
  await using server = await startJobServer({ withRealJob: false });
  const { tokens } = await readCredentials();
  const client = new TestClient(server.url);
  const configFile = `${server.directory}/config.json`;
  const archive = `${server.directory}/job-archive`;
  const source = `${server.directory}/elsewhere`;
  const ask = async (path: string) => {
    const { status, text } = await client.send({
      ...{ method: "GET", path, authorization: `Bearer ${tokens["api"]}` },
    });
    assert.equal(status, 200, text);
    return JSON.parse(text);
  };
  try {
    assert.deepEqual((await ask("/api/jobs/")).jobs, []);
    placeRealJob(source);

    await t.step(
      "archive import copies it and makes its row, once",
      async () => {
        const first = await ringstore(
          ["archive", "import", source],
          configFile,
        );
        assert.match(first, /^1 jobs of .* are in .*, 1 of them new there$/m);
        assert.match(first, /^1 jobs were new to .*job\.db$/m);
        for (const words of [["import", source], ["init-db"], ["init-db"]]) {
          const again = await ringstore(["archive", ...words], configFile);
          assert.match(again, /^0 jobs were new to /m);
        }
        for (const name of ["meta.json", "data.json.gz"]) {
          const place = `emmy/1403/244/1608923076/${name}`;
          assert.deepEqual(
            await Deno.readFile(`${archive}/${place}`),
            await Deno.readFile(`${source}/${place}`),
          );
        }
      },
    );

    const real = readRealJob();
    await t.step("it is found and listed with its statistics", async () => {
      const { jobs } = await ask(
        "/api/jobs/?state=completed&cluster=emmy&start-time=1608923076-1608923076",
      );
      assert.equal(jobs.length, 1);
      const [job] = jobs;
      assert.deepEqual(
        [job.jobId, job.user, job.project, job.numNodes, job.duration],
        [1_403_244, "emmyUser6", "no project", 32, 86_486],
      );
      assert.equal(job.monitoringStatus, 3);
      for (
        const [metric, { avg, min, max }] of Object.entries(real.statistics)
      ) {
        const { unit: _, ...numbers } = job.statistics[metric];
        assert.deepEqual(numbers, { avg, min, max }, metric);
      }
    });

    await t.step(
      "its data is that of the file, sample for sample",
      async () => {
        const [{ id }] = (await ask("/api/jobs/")).jobs;
        const { data, error } = await ask(`/api/jobs/metrics/${id}`);
        assert.equal(error, null);
        const series = new Map<string, (number | null)[]>();
        for (const { name, scope, metric } of data.jobMetrics) {
          assert.equal(scope, "node");
          assert.equal(metric.timestep, 60);
          for (const { hostname, data } of metric.series) {
            series.set(`${name} ${hostname}`, data);
          }
        }
        assert.equal(series.size, real.traces.length);
        for (const { metric, host, values } of real.traces) {
          assert.deepEqual(series.get(`${metric} ${host}`), values);
        }
        // The same by the routes of one job.
        const { Data } = await ask(`/api/jobs/${id}?all-metrics=true`);
        for (const { metric, host, values } of real.traces) {
          const found = Data[metric].node.series
            .find(({ hostname }: { hostname: string }) => hostname === host);
          assert.equal(found.data[0], values[0]);
        }
      },
    );

    await t.step(
      "archive verify says what is wrong with which file",
      async () => {
        assert.match(
          await ringstore(["archive", "verify"], configFile),
          /^1 jobs in .* are good$/m,
        );
        const file = `${archive}/emmy/1403/244/1608923076/data.json.gz`;
        const bytes = await Deno.readFile(file);
        await Deno.writeFile(file, bytes.subarray(0, bytes.length / 2));
        await assert.rejects(
          ringstore(["archive", "verify"], configFile),
          /0 jobs in .* are good[^]*1608923076/,
        );
        await Deno.writeFile(file, bytes);
      },
    );

    await t.step("archive init-db makes the database anew", async () => {
      const config = JSON.parse(await Deno.readTextFile(configFile));
      config.main.db = `${server.directory}/again.db`;
      const again = `${server.directory}/again.json`;
      await Deno.writeTextFile(again, JSON.stringify(config));
      const made = await ringstore(["archive", "init-db"], again);
      assert.match(made, /^1 jobs were new to /m);
    });
  } finally {
    client.close();
  }
});
