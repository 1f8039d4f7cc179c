/** Starting and stopping jobs: every rule of the job-api 2.4, 2.5, 3.4, 3.5 and 13. */
import assert from "node:assert/strict";
import { HOUR_AGO, JobApiServer, minimalJob } from "./job_api.ts";

const START = "/api/jobs/start_job/";
const STOP = "/api/jobs/stop_job/";

Deno.test("start_job and stop_job follow the minimal exchange of the contract's test vectors", async () => {
  await using server = await JobApiServer.start();
  const start = minimalJob(4711, { startTime: 1_700_000_000 });
  const started = await server.expect(201, "POST", START, { body: start });
  assert.deepEqual(started.json, { msg: "success" });
  await server.expect(422, "POST", START, { body: start });
  const stop = (stopTime: number) => ({
    body: { jobId: 4711, stopTime },
  });
  await server.expect(400, "POST", STOP, stop(1_699_999_999));
  const stopped = await server.expect(200, "POST", STOP, stop(1_700_000_060));
  const { id, ...job } = stopped.json;
  assert.ok(id > 0);
  assert.deepEqual(job, {
    cluster: "fritz",
    subCluster: "main",
    project: "p1",
    user: "eve",
    shared: "none",
    jobState: "completed",
    resources: [{ hostname: "f0101" }],
    energyFootprint: null,
    footprint: null,
    metaData: null,
    concurrentJobs: { items: null, count: 0 },
    energy: 0,
    jobId: 4711,
    duration: 60,
    monitoringStatus: 1,
    numNodes: 1,
    statistics: null,
    startTime: 1_700_000_000,
  });
  await server.expect(422, "POST", STOP, stop(1_700_000_060));
  await server.expect(404, "POST", STOP, { body: { jobId: 1, stopTime: 1 } });
});

Deno.test("start_job takes a start as told twice when less than a day lies between, whichever came first", async () => {
  await using server = await JobApiServer.start();
  const at = (startTime: number) => ({ body: minimalJob(9, { startTime }) });
  await server.expect(201, "POST", START, at(1_000_000));
  const vectors: [number, number][] = [
    [1_000_000, 422],
    [999_999, 422],
    [1_086_399, 422],
    [913_601, 422],
    [1_086_400, 201],
    [900_000, 201],
  ];
  for (const [startTime, status] of vectors) {
    await server.expect(status, "POST", START, at(startTime));
  }
  // Other clusters have job ids of their own.
  await server.expect(201, "POST", START, {
    body: minimalJob(9, {
      ...{ cluster: "alex", startTime: 1_000_000 },
      resources: [{ hostname: "a0601" }],
    }),
  });
});

Deno.test("start_job takes a job that was requeued as a new one, when its first run is over", async () => {
  await using server = await JobApiServer.start();
  const start = (status: number, startTime: number) =>
    server.expect(status, "POST", START, {
      body: minimalJob(7, { startTime }),
    });
  const id = await server.startJob(minimalJob(7));
  await start(422, HOUR_AGO + 120);
  await server.stopAndArchive(id, HOUR_AGO + 60, "preempted");
  await start(422, HOUR_AGO);
  await start(422, HOUR_AGO + 59);
  await start(201, HOUR_AGO + 60);
  const early = await server.expect(422, "POST", STOP, {
    body: { jobId: 7, stopTime: HOUR_AGO + 60 },
  });
  assert.match(early.json.error, /does not run any more \(preempted\)/);
  const second = await server.expect(200, "POST", STOP, {
    body: { jobId: 7, stopTime: HOUR_AGO + 100 },
  });
  assert.equal(second.json.duration, 40);
});

Deno.test("start_job takes one of many simultaneous starts of a job and refuses the others", async () => {
  await using server = await JobApiServer.start();
  const answers = await Promise.all(
    Array.from(
      { length: 12 },
      (_, i) =>
        server.ask("POST", START, {
          body: minimalJob(5, { startTime: HOUR_AGO + i }),
        }),
    ),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [201, ...Array(11).fill(422)]);
  assert.equal(await server.tables.jobs.count({}), 1);
});

Deno.test("start_job and stop_job are the same with and without a slash, by POST and by PUT", async () => {
  await using server = await JobApiServer.start();
  let jobId = 0;
  for (const method of ["POST", "PUT"]) {
    for (const slash of ["", "/"]) {
      jobId++;
      await server.expect(201, method, `/api/jobs/start_job${slash}`, {
        body: minimalJob(jobId),
      });
      const stopped = await server.expect(
        200,
        method,
        `/api/jobs/stop_job${slash}`,
        { body: { jobId, stopTime: HOUR_AGO } },
      );
      assert.equal(stopped.json.duration, 0);
    }
  }
  for (const path of ["start_job", "start_job/", "stop_job", "stop_job/"]) {
    for (const method of ["GET", "DELETE", "PATCH", "HEAD"]) {
      const refused = await server.expect(405, method, `/api/jobs/${path}`);
      assert.equal(refused.headers["allow"], "POST, PUT");
      assert.equal(refused.text, "");
    }
  }
});

Deno.test("start_job names what is wrong with a job, and stores nothing of it", async () => {
  await using server = await JobApiServer.start();
  const wrong: [unknown, RegExp][] = [
    [{ cluster: "zz" }, /zz/],
    [{ cluster: "" }, /cluster/],
    [{ subCluster: "nope" }, /nope/],
    [{ resources: [{ hostname: "q1" }] }, /q1/],
    [{ resources: [], numNodes: 0 }, /resources|no resource/],
    [{ user: "" }, /user/],
    [{ numAcc: -1 }, /numAcc.*-1/],
    [{ numHwthreads: -1 }, /numHwthreads.*-1/],
    [{ numNodes: 0 }, /numNodes.*0/],
    [{ numNodes: 2 }, /numNodes.*2.*1/],
    [{ jobId: 0 }, /jobId/],
    [{ jobId: null }, /jobId/],
    [{ jobId: "5" }, /jobId.*"5"/],
    [{ jobId: -5 }, /jobId.*64 bits.*-5/],
    [{ arrayJobId: 1.5 }, /arrayJobId.*64 bits.*1\.5/],
    [{ exclusive: 4 }, /exclusive.*4/],
    [{ metadata: { a: 1 } }, /metadata\.a/],
    [{ startTime: 0 }, /startTime/],
    [{ startTime: null }, /startTime/],
    [{ shared: "yes" }, /shared.*yes/],
    [{ monitoringStatus: 4 }, /monitoringStatus.*4/],
    [{ smt: -1 }, /smt.*-1/],
    [{ smt: 2 ** 31 }, /smt/],
    [{ resources: [null] }, /resources/],
    [{ tags: [null] }, /tags/],
    [{ metaData: { a: 1 } }, /metaData/],
    [{ resources: [{ hostname: "f0101", bogus: 1 }] }, /bogus/],
    [{ bogus: 1 }, /bogus/],
  ];
  for (const [more, words] of wrong) {
    const { json } = await server.expect(400, "POST", START, {
      body: minimalJob(5000, more as object),
    });
    assert.equal(json.status, "Bad Request");
    assert.match(json.error, words);
  }
  for (const body of ["", "{", "[]", "null", '"x"', "\xff"]) {
    await server.expect(400, "POST", START, { body });
  }
  assert.equal(await server.tables.jobs.count({}), 0);
});

Deno.test("start_job keeps every field of a job; what the server decides itself is passed over", async () => {
  await using server = await JobApiServer.start();
  const sent = {
    ...minimalJob(8, { cluster: "alex", numNodes: 2 }),
    subCluster: "a40",
    partition: "a40",
    shared: "multi_user",
    jobState: "completed",
    arrayJobId: 44,
    numHwthreads: 32,
    numAcc: 2,
    smt: 2,
    monitoringStatus: 1,
    walltime: 3600,
    requestedMemory: 64_000,
    submitTime: HOUR_AGO - 500,
    energy: 1.5,
    footprint: { cpu_load_avg: 0.5 },
    metaData: { jobName: 'näm\u0000e "q"', jobScript: "#!/bin/sh\n" },
    resources: [
      {
        hostname: "a0121",
        hwthreads: [0, 1],
        accelerators: ["00000000:01:00.0"],
      },
      {
        hostname: "a0122",
        configuration: "c",
        hwthreads: [],
        accelerators: [],
      },
    ],
    id: 999_999,
    duration: 5,
    statistics: { cpu_load: { unit: { base: "" }, avg: 1, min: 1, max: 1 } },
    energyFootprint: { a: 1 },
    concurrentJobs: { items: [{ id: 1, jobId: 2 }], count: 1 },
  };
  const id = await server.startJob(sent);
  assert.notEqual(id, 999_999);
  const { Meta: { duration, ...meta } } =
    (await server.expect(200, "GET", `/api/jobs/${id}`)).json;
  assert.ok(duration >= 3600, "a running job has run until now");
  const { duration: _, jobState, statistics, energyFootprint, ...kept } = sent;
  assert.ok(jobState && statistics && energyFootprint);
  assert.deepEqual(meta, {
    ...kept,
    id,
    jobState: "running",
    energyFootprint: null,
    statistics: null,
    concurrentJobs: { items: null, count: 0 },
    // Empty lists are as good as none.
    resources: [sent.resources[0], { hostname: "a0122", configuration: "c" }],
  });
});

Deno.test("start_job takes any number of threads per core, with and without tags (job-api O14)", async () => {
  await using server = await JobApiServer.start();
  for (const [i, smt] of [0, 1, 2, 4, 8].entries()) {
    await server.startJob(minimalJob(100 + i, { smt }));
    const tags = [{ type: "t", name: "n", scope: "global" }];
    await server.startJob(minimalJob(200 + i, { smt, tags }));
  }
});

Deno.test("start_job checks tags before it stores the job, and stores both or neither (job-api O6)", async () => {
  await using server = await JobApiServer.start();
  const tag = (scope: string) => ({ type: "t", name: "n", scope });
  const foreign = minimalJob(1, { tags: [tag("global"), tag("someone")] });
  await server.expect(403, "POST", START, { body: foreign });
  const unnamed = minimalJob(1, { tags: [tag("global"), { type: "t" }] });
  await server.expect(400, "POST", START, { body: unnamed });
  assert.equal(await server.tables.jobs.count({}), 0);
  const id = await server.startJob(
    minimalJob(1, { tags: [tag("global"), { type: "u", name: "m" }] }),
  );
  const { json } = await server.expect(200, "GET", `/api/jobs/${id}`);
  const names = json.Meta.tags.map((
    { type, scope }: { type: string; scope: string },
  ) => `${type} ${scope}`).sort();
  assert.deepEqual(names, ["t global", "u global"]);
});

Deno.test("start_job never gives an id again, also after the newest job is deleted (job-api O19)", async () => {
  await using server = await JobApiServer.start();
  const first = await server.startJob(minimalJob(1));
  await server.expect(200, "DELETE", `/api/jobs/delete_job/${first}`);
  assert.ok(await server.startJob(minimalJob(1)) > first);
});

Deno.test("stop_job ends a run with every final state, and with those of a job that is requeued (job-api O16)", async () => {
  await using server = await JobApiServer.start();
  const finals = [
    ...["boot_fail", "cancelled", "completed", "deadline", "failed"],
    ...["node_fail", "out_of_memory", "preempted", "timeout"],
  ];
  const requeued = [
    ...["pending", "requeued", "requeue_hold", "special_exit", "revoked"],
  ];
  const unfinished = ["running", "suspended"];
  const unknown = ["stopped", "canceled", "out-of-memory", "COMPLETED"];
  const statusOf = (state: string) =>
    unfinished.includes(state) ? 422 : unknown.includes(state) ? 400 : 200;
  const all = [...finals, ...requeued, ...unfinished, ...unknown];
  for (const [i, jobState] of all.entries()) {
    await server.startJob(minimalJob(i + 1));
    const status = statusOf(jobState);
    const { json } = await server.expect(status, "POST", STOP, {
      body: { jobId: i + 1, jobState, stopTime: HOUR_AGO + 5 },
    });
    if (status !== 200) {
      assert.match(json.error, new RegExp(`jobState.*${jobState}`));
    } else {
      assert.equal(
        json.jobState,
        requeued.includes(jobState) ? "preempted" : jobState,
      );
    }
  }
  const running = await server.expect(200, "GET", "/api/jobs/?state=running");
  assert.equal(running.json.jobs.length, unfinished.length + unknown.length);
});

Deno.test("start_job and stop_job refuse times far ahead of the clock, as milliseconds are", async () => {
  await using server = await JobApiServer.start();
  const ms = HOUR_AGO * 1000;
  for (const key of ["startTime", "submitTime"]) {
    const { json } = await server.expect(400, "POST", START, {
      body: minimalJob(1, { [key]: ms }),
    });
    assert.match(json.error, new RegExp(`${key}: ${ms} .*milliseconds`));
  }
  // A day of clocks and time zones that are wrong is taken.
  const ahead = HOUR_AGO + 86_000;
  const id = await server.startJob(minimalJob(1, { startTime: ahead }));
  const { json } = await server.expect(400, "POST", STOP, {
    body: { jobId: 1, stopTime: ms },
  });
  assert.match(json.error, new RegExp(`stopTime: ${ms} .*milliseconds`));
  assert.equal((await server.tables.jobs.get(id))?.jobState, "running");
  // A stop that is wrong in two ways names the one that comes first.
  await server.expect(404, "POST", STOP, { body: { jobId: 2, stopTime: ms } });
  await server.stopAndArchive(id, ahead + 60);
  await server.expect(422, "POST", STOP, { body: { jobId: 1, stopTime: ms } });
});

Deno.test("stop_job answers the first thing that is wrong: no such job, not running, time, state", async () => {
  await using server = await JobApiServer.start();
  const bad = { jobState: "nope", stopTime: 5 };
  await server.expect(404, "POST", STOP, { body: { jobId: 3, ...bad } });
  const id = await server.startJob(minimalJob(3));
  const early = await server.expect(400, "POST", STOP, {
    body: { jobId: 3, ...bad },
  });
  assert.match(early.json.error, /stopTime/);
  const state = await server.expect(400, "POST", STOP, {
    body: { jobId: 3, ...bad, stopTime: HOUR_AGO },
  });
  assert.match(state.json.error, /jobState/);
  const timeless = await server.expect(400, "POST", STOP, {
    body: { jobId: 3 },
  });
  assert.match(timeless.json.error, /stopTime/);
  await server.stopAndArchive(id, HOUR_AGO);
  await server.expect(422, "POST", STOP, { body: { jobId: 3, ...bad } });
  await server.expect(400, "POST", STOP, { body: { stopTime: HOUR_AGO } });
  await server.expect(400, "POST", STOP, { body: { jobId: 3, bogus: 1 } });
});

Deno.test("stop_job means the running one of several jobs with the id, and the one that is named", async () => {
  await using server = await JobApiServer.start();
  const day = 86_400;
  const first = await server.startJob(minimalJob(6));
  const second = await server.startJob(
    minimalJob(6, { startTime: HOUR_AGO - 2 * day }),
  );
  const stop = (more: object) =>
    server.expect(200, "POST", STOP, { body: { jobId: 6, ...more } });
  const named = await stop({
    startTime: HOUR_AGO - 2 * day,
    stopTime: HOUR_AGO - day,
  });
  assert.equal(named.json.id, second);
  // The other one has the lower id and is the only one that runs.
  assert.equal((await stop({ stopTime: HOUR_AGO + 1 })).json.id, first);
  await server.expect(404, "POST", STOP, {
    body: { jobId: 6, cluster: "alex", stopTime: HOUR_AGO },
  });
});

Deno.test("stop_job does not archive a job whose monitoring is off", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(2, { monitoringStatus: 0 }));
  await server.stopAndArchive(id, HOUR_AGO + 60);
  assert.equal(await server.tables.archiveQueue.size(), 0);
  const { json } = await server.expect(200, "GET", "/api/jobs/");
  // The key is always there, also with 0 (job-api O44).
  assert.equal(json.jobs[0].monitoringStatus, 0);
});

Deno.test("start_job and stop_job are no routes where jobs come by message, other routes are", async () => {
  await using server = await JobApiServer.start({
    main: {
      "api-subjects": {
        "subject-job-event": "cc.job",
        "subject-node-state": "cc.node",
      },
    },
  });
  for (const name of ["start_job", "start_job/", "stop_job", "stop_job/"]) {
    for (const method of ["POST", "PUT"]) {
      await server.expect(404, method, `/api/jobs/${name}`, {
        body: minimalJob(1),
      });
    }
  }
  await server.expect(200, "GET", "/api/jobs/");
});

Deno.test("job ids of 64 bits keep every digit in rows, answers, lists and the archive", async () => {
  await using server = await JobApiServer.start();
  const ids = ["9007199254740993", "9223372036854775807", "2097152000000001"];
  for (const [i, jobId] of ids.entries()) {
    const body = JSON.stringify(minimalJob(1, { arrayJobId: 2 }))
      .replace('"jobId":1', `"jobId":${jobId}`)
      .replace('"arrayJobId":2', `"arrayJobId":${jobId}`);
    await server.expect(201, "POST", START, { body });
    await server.expect(422, "POST", START, { body });
    const listed = await server.expect(
      200,
      "GET",
      `/api/jobs/?job-id=${jobId}`,
    );
    assert.ok(listed.text.includes(`"jobId":${jobId},`), listed.text);
    assert.ok(listed.text.includes(`"arrayJobId":${jobId},`), listed.text);
    const { id } = listed.json.jobs[0];
    assert.equal(listed.json.jobs.length, 1);
    const key = `{"jobId":${jobId},"cluster":"fritz"`;
    const meta = await server.expect(200, "PATCH", "/api/jobs/edit_meta/", {
      body: `${key},"payload":{"key":"k","value":"v"}}`,
    });
    assert.ok(meta.text.includes(`"jobId":${jobId},`), meta.text);
    const stopped = await server.expect(200, "POST", STOP, {
      body: `${key},"stopTime":${HOUR_AGO + 60}}`,
    });
    assert.ok(stopped.text.includes(`"jobId":${jobId},`), stopped.text);
    await server.untilArchived(id);
    const directory = `${server.archiveRoot}/fritz/${jobId.slice(0, -3)}/${
      jobId.slice(-3)
    }/${HOUR_AGO}`;
    const read = () => Deno.readTextFile(`${directory}/meta.json`);
    assert.ok((await read()).includes(`"jobId":${jobId},`));
    // Editing the file rounds nothing either.
    await server.expect(200, "PATCH", `/api/jobs/edit_meta/${id}`, {
      body: { key: "k", value: "w" },
    });
    const text = await read();
    assert.ok(text.includes(`"jobId":${jobId},`), text);
    assert.ok(text.includes(`"arrayJobId":${jobId},`), text);
    assert.ok(text.includes('"k":"w"'), text);
    const shown = await server.expect(200, "GET", `/api/jobs/${id}`);
    assert.ok(shown.text.includes(`"jobId":${jobId},`));
    assert.notEqual(shown.json.Meta.statistics, undefined);
    await server.expect(200, "DELETE", "/api/jobs/delete_job/", {
      body: `${key}}`,
    });
    assert.equal(await server.tables.jobs.count({}), 0, `${i}`);
  }
  const tooLong = JSON.stringify(minimalJob(1))
    .replace('"jobId":1', '"jobId":9223372036854775808');
  const { json } = await server.expect(400, "POST", START, { body: tooLong });
  assert.match(json.error, /jobId.*64 bits.*9223372036854775808/);
});

Deno.test("start_job keeps an entry that is called __proto__", async () => {
  await using server = await JobApiServer.start();
  const body = JSON.stringify(minimalJob(1, { footprint: 0, metaData: 0 }))
    .replace('"metaData":0', '"metaData":{"__proto__":"x","k":"y"}')
    .replace('"footprint":0', '"footprint":{"__proto__":1.5}');
  await server.expect(201, "POST", START, { body });
  const { id } = (await server.tables.jobs.findByKey({ jobId: 1 }))!;
  const { text } = await server.expect(200, "GET", `/api/jobs/${id}`);
  assert.ok(text.includes('"metaData":{"__proto__":"x","k":"y"}'), text);
  assert.ok(text.includes('"footprint":{"__proto__":1.5}'), text);
  const { json } = await server.expect(400, "POST", START, {
    body: body.replace('"x"', "5"),
  });
  assert.match(json.error, /^metaData\.__proto__: expected a text, got 5/);
});

Deno.test("start_job takes what older scripts call metadata and exclusive", async () => {
  await using server = await JobApiServer.start();
  const kinds: [object, string][] = [
    [{ exclusive: 0 }, "multi_user"],
    [{ exclusive: 1 }, "none"],
    [{ exclusive: 2 }, "single_user"],
    [{ exclusive: 3 }, "multi_user"],
    [{ exclusive: 0, shared: "" }, "multi_user"],
    [{ exclusive: 0, shared: "none" }, "none"],
    [{ exclusive: null }, "none"],
  ];
  for (const [i, [more, shared]] of kinds.entries()) {
    const id = await server.startJob(
      minimalJob(i + 1, { ...more, metadata: { a: "b" } }),
    );
    const job = await server.tables.jobs.get(id);
    assert.equal(job?.shared, shared, JSON.stringify(more));
    assert.deepEqual(job?.metaData, { a: "b" });
  }
  const id = await server.startJob(
    minimalJob(50, { metadata: { a: "b" }, metaData: { c: "d" } }),
  );
  assert.deepEqual((await server.tables.jobs.get(id))?.metaData, { c: "d" });
});
