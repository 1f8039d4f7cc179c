/** Nodes of running jobs outlive the retention: the server's own database says which. */
import assert from "node:assert/strict";
import { nowSec } from "../../src/base/clock.ts";
import { DurableServer, type StoreSettings } from "../crash/durable_server.ts";
import { CLUSTERS_DIRECTORY } from "../support/clusters.ts";
import { readCredentials } from "../support/job_server.ts";

const START_SEC = Math.floor(nowSec() / 60) * 60 - 3600;
const VALUES = [1, 2, 3];
const WAIT_MS = 20_000;

Deno.test("samples of a running job's node stay beyond the retention, those of others do not", async () => {
  const { publicKey, tokens } = await readCredentials();
  const authorization = `Bearer ${tokens["admin+api"]}`;
  await using server = await DurableServer.create();
  const archive = `${server.directory}/job-archive`;
  await Deno.mkdir(`${archive}/fritz`, { recursive: true });
  await Deno.writeTextFile(`${archive}/version.txt`, "3\n");
  await Deno.writeTextFile(
    `${archive}/fritz/cluster.json`,
    await Deno.readTextFile(new URL("fritz.json", CLUSTERS_DIRECTORY)),
  );
  const settings: StoreSettings = {
    metrics: {},
    main: { "jwt-public-key": publicKey },
    sections: { archive: { path: archive } },
  };
  const post = async (path: string, body: string) => {
    const answer = await server.client.send({
      ...{ method: "POST", path, body, authorization },
    });
    assert.ok(answer.status < 300, answer.text);
    return answer.text;
  };
  const values = async (host: string): Promise<unknown> => {
    const text = await post(
      "/api/query",
      JSON.stringify({
        ...{ cluster: "fritz", from: START_SEC - 60, to: START_SEC + 600 },
        "with-padding": false,
        queries: [{ metric: "cpu_load", host }],
      }),
    );
    return JSON.parse(text).results[0]?.[0]?.data;
  };

  await server.start(settings);
  await post(
    "/api/write",
    ["f0101", "f0102"].flatMap((host) =>
      VALUES.map((value, i) =>
        `cpu_load,cluster=fritz,hostname=${host},type=node value=${value} ${
          START_SEC + 60 * i
        }`
      )
    ).join("\n"),
  );
  await post(
    "/api/jobs/start_job/",
    JSON.stringify({
      ...{ jobId: 1, user: "eve", cluster: "fritz", numNodes: 1 },
      ...{ startTime: START_SEC, resources: [{ hostname: "f0101" }] },
    }),
  );

  const short = { ...settings, store: { "retention-in-memory": "30m" } };
  await server.restart(short);
  await server.child.until(
    "what the job needs",
    WAIT_MS,
    () => values("f0101"),
  );
  assert.deepEqual(await values("f0101"), VALUES);
  assert.equal(await values("f0102"), undefined);

  await post(
    "/api/jobs/stop_job/",
    `{"jobId":1,"stopTime":${START_SEC + 180}}`,
  );
  await server.restart(short);
  assert.equal(await values("f0101"), undefined);
});
