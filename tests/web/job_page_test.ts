/** One job as its page asks for it (web R6, R12, R13, R14, R16, R17), by HTTP. */
import assert from "node:assert/strict";
import type {
  JobAnswer,
  StatisticsAnswer,
  TagsAnswer,
} from "../../src/web/shared/answers.ts";
import { decodeFrame, type Frame } from "../../src/web/shared/frame.ts";
import { HOUR_AGO, minimalJob } from "../jobs/job_api.ts";
import { WebServer } from "./web_server.ts";

const HOSTS = ["f0101", "f0102"];
const MINUTES = 40;

interface MeasuredSeries {
  readonly hostname: string;
  readonly statistics: { min: number; avg: number; max: number };
}

/** `cpu_load` of two nodes with a gap at minute 5, flops of two threads of the first. */
function samples(): string[] {
  return Array.from({ length: MINUTES }, (_, i) => i).flatMap((i) => {
    const time = HOUR_AGO + 60 * i;
    const of = (host: string) => `cluster=fritz,hostname=${host}`;
    return [
      ...HOSTS.flatMap((host, h) =>
        i === 5
          ? []
          : [`cpu_load,${of(host)},type=node value=${i / 3 + h} ${time}`]
      ),
      `flops_any,${of("f0101")},type=hwthread,type-id=0 value=${i} ${time}`,
      `flops_any,${of("f0101")},type=hwthread,type-id=1 value=${
        10 * i
      } ${time}`,
    ];
  });
}

async function withJob(): Promise<{ server: WebServer; id: number }> {
  const server = await WebServer.start();
  await server.api.write(samples());
  const id = await server.api.startJob(minimalJob(1, {
    numNodes: 2,
    resources: HOSTS.map((hostname) => ({ hostname, hwthreads: [0, 1] })),
  }));
  return { server, id };
}

/** What pages did, as the audit was told; refusals are lines of their own. */
function audited({ api }: WebServer): string[] {
  return api.changes.filter(({ what }) => what.startsWith("web"))
    .map(({ what, who, outcome }) => `${what} ${who} ${outcome}`);
}

async function frameOf(
  server: WebServer,
  id: number,
  body: object,
  who = "eve",
): Promise<Frame> {
  const answer = await fetch(
    `http://127.0.0.1:${server.api.port}/web/api/jobs/${id}/series`,
    {
      method: "POST",
      headers: server.api.sessionHeaders(who),
      body: JSON.stringify(body),
    },
  );
  assert.equal(
    answer.status,
    200,
    answer.status === 200 ? "" : await answer.text(),
  );
  assert.equal(
    answer.headers.get("content-type"),
    "application/vnd.ringstore.frame",
  );
  return decodeFrame(new Uint8Array(await answer.arrayBuffer()));
}

function valuesAt(host: number): number[] {
  return Array.from(
    { length: MINUTES },
    (_, i) => i === 5 ? NaN : Math.fround(i / 3 + host),
  );
}

Deno.test("R6: the same series out of the store and out of the archive", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  const ask = () =>
    frameOf(server, id, {
      metrics: ["cpu_load", "none_such"],
      to: HOUR_AGO + 60 * (MINUTES - 1),
    });
  const running = await ask();
  await server.api.stopAndArchive(id, HOUR_AGO + 60 * MINUTES);
  const archived = await ask();
  for (const { header, arrays } of [running, archived]) {
    assert.equal(header.from, HOUR_AGO);
    assert.equal(header.step, 60);
    assert.deepEqual(
      header.arrays.map((
        { metric, host, scope, native, type },
      ) => [metric, host, scope, native, type]),
      HOSTS.map((host) => ["cpu_load", host, "node", 60, "f32"]),
    );
    arrays.forEach((values, host) =>
      assert.deepEqual([...values], valuesAt(host))
    );
    assert.deepEqual(header.errors, [
      { metric: "none_such", error: "no samples" },
    ]);
  }
  assert.deepEqual(
    archived.header.arrays[0]?.stats,
    running.header.arrays[0]?.stats,
  );
  assert.ok(running.header.nextSec! > running.header.nowSec);
  assert.equal(archived.header.nextSec, undefined);
});

Deno.test("R6: a band, a part of the time, chosen hosts, finer scopes", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  const to = HOUR_AGO + 60 * (MINUTES - 1);
  const band = await frameOf(server, id, {
    metrics: ["cpu_load"],
    combine: "band",
    to,
  });
  assert.deepEqual(band.header.arrays.map(({ part }) => part), [
    "min",
    "mean",
    "max",
  ]);
  assert.deepEqual([...band.arrays[0]!], valuesAt(0));
  assert.deepEqual([...band.arrays[2]!], valuesAt(1));
  assert.deepEqual(
    [...band.arrays[1]!].map((mean) => Math.round(mean * 1000)),
    valuesAt(0).map((value) => Math.round((value + 0.5) * 1000)),
  );
  const part = await frameOf(server, id, {
    metrics: ["cpu_load"],
    hosts: ["f0102"],
    from: HOUR_AGO + 61,
    to: HOUR_AGO + 240,
  });
  assert.equal(part.header.from, HOUR_AGO + 120);
  assert.deepEqual(part.header.arrays.map(({ host }) => host), ["f0102"]);
  assert.deepEqual([...part.arrays[0]!], valuesAt(1).slice(2, 5));
  const threads = await frameOf(server, id, {
    metrics: ["flops_any"],
    scope: "hwthread",
    to,
  });
  assert.deepEqual(threads.header.arrays.map(({ host, id }) => [host, id]), [
    ["f0101", "0"],
    ["f0101", "1"],
  ]);
  assert.deepEqual(threads.header.errors, [
    { metric: "flops_any", host: "f0102", error: "no samples" },
  ]);
});

Deno.test("R6: a wrong question is named", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  for (
    const [body, key] of [
      [{}, "metrics"],
      [{ metrics: [] }, "metrics"],
      [{ metrics: ["a"], scope: "rack" }, "scope"],
      [{ metrics: ["a"], points: 99 }, "points"],
      [{ metrics: ["a"], points: 2001 }, "points"],
      [{ metrics: ["a"], whose: 1 }, "whose"],
    ] as const
  ) {
    const { json } = await server.api.expect(
      400,
      "POST",
      `/web/api/jobs/${id}/series`,
      {
        as: "session:eve",
        body,
      },
    );
    assert.ok(json.error.includes(key), json.error);
  }
});

Deno.test("a job is there for those who may see it, on every route of it", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  for (
    const [who, status] of [
      ["eve", 200],
      ["max", 200],
      ["sue", 200],
      ["root", 200],
      ["bob", 404],
    ] as const
  ) {
    const as = `session:${who}`;
    for (
      const path of ["", "/statistics", "/download", "/download?format=json"]
    ) {
      await server.api.expect(status, "GET", `/web/api/jobs/${id}${path}`, {
        as,
      });
    }
    await server.api.expect(status, "POST", `/web/api/jobs/${id}/series`, {
      as,
      body: { metrics: ["cpu_load"] },
    });
  }
});

Deno.test("R12: what the page of a job shows besides plots", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  const later = await server.api.startJob(
    minimalJob(2, { startTime: HOUR_AGO + 60 }),
  );
  const show = async (who: string) => {
    const { json } = await server.api.expect(
      200,
      "GET",
      `/web/api/jobs/${id}`,
      {
        as: `session:${who}`,
      },
    );
    return json as JobAnswer;
  };
  const running = await show("eve");
  assert.equal(running.job.jobId, "1");
  assert.equal(running.archive.state, "memory");
  assert.deepEqual(running.resources.map(({ hostname }) => hostname), HOSTS);
  assert.equal(running.next, later);
  assert.equal(running.previous, undefined);
  assert.deepEqual(running.sharedWith, { count: 0 });
  assert.ok(running.missing["mem_bw"]?.includes("f0102"));
  const names = running.metrics.map(({ name }) => name);
  assert.ok(names.includes("cpu_load"));
  await server.api.stopAndArchive(id, HOUR_AGO + 60 * MINUTES);
  const archived = await show("eve");
  assert.equal(archived.archive.state, "archived");
  assert.deepEqual(Object.keys(archived.statistics).includes("cpu_load"), true);
  assert.equal(archived.missing["cpu_load"], undefined);
  assert.deepEqual(archived.missing["mem_bw"], HOSTS);
});

Deno.test("R12: jobs beside a shared one are counted for its owner, named for the staff", async () => {
  await using server = await WebServer.start();
  const shared = {
    shared: "multi_user",
    resources: [{ hostname: "f0101", hwthreads: [0] }],
  };
  const id = await server.api.startJob(minimalJob(1, shared));
  const other = await server.api.startJob(
    minimalJob(2, { ...shared, user: "bob" }),
  );
  await server.api.startJob(
    minimalJob(3, {
      ...shared,
      user: "bob",
      resources: [{ hostname: "f0103" }],
    }),
  );
  const sharedWith = async (who: string) =>
    (await server.api.expect(200, "GET", `/web/api/jobs/${id}`, {
      as: `session:${who}`,
    }))
      .json.sharedWith;
  assert.deepEqual(await sharedWith("eve"), { count: 1 });
  assert.deepEqual(await sharedWith("sue"), {
    count: 1,
    jobs: [{ id: other, jobId: "2", user: "bob" }],
  });
});

Deno.test("R13, R14: statistics and downloads are what the job API answers", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  await server.api.stopAndArchive(id, HOUR_AGO + 60 * MINUTES);
  const { json: api } = await server.api.expect(
    200,
    "GET",
    `/api/jobs/metrics/${id}?metric=cpu_load&scope=node`,
  );
  const [{ metric }] = api.data.jobMetrics;
  const { json } = await server.api.expect(
    200,
    "GET",
    `/web/api/jobs/${id}/statistics`,
    {
      as: "session:eve",
    },
  );
  const found = (json as StatisticsAnswer).metrics.find(({ name }) =>
    name === "cpu_load"
  );
  assert.deepEqual(
    found?.rows,
    metric.series.map((
      { hostname, statistics }: MeasuredSeries,
    ) => [hostname, "", statistics.min, statistics.avg, statistics.max]),
  );
  const download = await server.api.expect(
    200,
    "GET",
    `/web/api/jobs/${id}/download?format=json&metric=cpu_load`,
    { as: "session:eve" },
  );
  assert.deepEqual(download.json, { cpu_load: { node: metric } });
  assert.equal(
    download.headers["content-disposition"],
    `attachment; filename="job-1-fritz.json"`,
  );
  const csv = await server.api.expect(
    200,
    "GET",
    `/web/api/jobs/${id}/download?metric=cpu_load`,
    { as: "session:eve" },
  );
  const [head, ...lines] = csv.text.trimEnd().split("\r\n");
  assert.equal(head, "metric,scope,host,id,unit,time,utc,value");
  const read = lines.map((line) => line.split(","));
  const wanted = HOSTS.flatMap((host, h) =>
    Array.from({ length: MINUTES }, (_, i) => i).filter((i) => i !== 5).map(
      (i) => {
        const time = HOUR_AGO + 60 * i;
        const utc = new Date(time * 1000).toISOString().replace(".000Z", "Z");
        // Full precision, as stored.
        return [
          "cpu_load",
          "node",
          host,
          "",
          "",
          String(time),
          utc,
          String(i / 3 + h),
        ];
      },
    )
  );
  assert.deepEqual(read, wanted);
  assert.deepEqual(audited(server), [
    "webJobDownload eve done",
    "webJobDownload eve done",
  ]);
});

Deno.test("R16: tags are put on, found, taken off and deleted by the rules of scopes", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  const change = (method: string, who: string, status: number, scope: string) =>
    server.api.expect(status, method, `/web/api/jobs/${id}/tags`, {
      as: `session:${who}`,
      body: [{ type: "app", name: scope, scope }],
    });
  await change("POST", "eve", 403, "global");
  await change("POST", "eve", 403, "max");
  await change("POST", "sue", 403, "admin");
  await change("POST", "bob", 404, "bob");
  await change("POST", "eve", 200, "eve");
  await change("POST", "root", 200, "admin");
  const { json } = await change("POST", "sue", 200, "global");
  const namesIn = ({ tags }: TagsAnswer) => tags.map(({ name }) => name);
  assert.deepEqual(namesIn(json), ["admin", "global"]);
  const list = async (who: string): Promise<TagsAnswer> =>
    (await server.api.expect(200, "GET", "/web/api/tags", {
      as: `session:${who}`,
    })).json;
  assert.deepEqual(namesIn(await list("eve")), ["eve", "global"]);
  assert.deepEqual(
    (await list("bob")).tags.map(({ name, jobs }) => [name, jobs]),
    [["global", 0]],
  );
  assert.deepEqual(
    (await list("root")).tags.map(({ name, jobs }) => [name, jobs]),
    [
      ["admin", 1],
      ["global", 1],
    ],
  );
  await change("DELETE", "eve", 403, "global");
  await change("DELETE", "eve", 200, "eve");
  const global = (await list("root")).tags.find(({ name }) =>
    name === "global"
  )!;
  await server.api.expect(403, "DELETE", `/web/api/tags/${global.id}`, {
    as: "session:sue",
  });
  await server.api.expect(200, "DELETE", `/web/api/tags/${global.id}`, {
    as: "session:root",
  });
  await server.api.expect(404, "DELETE", `/web/api/tags/${global.id}`, {
    as: "session:root",
  });
  assert.deepEqual(audited(server), [
    "webAddTags bob 404",
    "webAddTags eve done",
    "webAddTags root done",
    "webAddTags sue done",
    "webRemoveTags eve done",
    "webDeleteTag root done",
    "webDeleteTag root 404",
  ]);
});

Deno.test("R17: the note of the staff is an administrator's to write", async () => {
  const { server, id } = await withJob();
  await using _server = server;
  const note = (who: string, status: number) =>
    server.api.expect(status, "PATCH", `/web/api/jobs/${id}/meta`, {
      as: `session:${who}`,
      body: { key: "message", value: "<b>look</b>" },
    });
  await note("eve", 403);
  await note("sue", 403);
  await note("root", 200);
  const { json } = await server.api.expect(200, "GET", `/web/api/jobs/${id}`, {
    as: "session:eve",
  });
  assert.equal(json.job.note, "<b>look</b>");
  assert.deepEqual(audited(server), ["webSetMeta root done"]);
});
