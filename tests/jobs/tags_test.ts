/** Tags in every scope, on jobs in every stage of their lives (job-api 2.9, 7.2, 7.3). */
import assert from "node:assert/strict";
import type { PolicyRecord } from "../../src/access/access_records.ts";
import { until } from "../support/nats.ts";
import {
  HOUR_AGO,
  JobApiServer,
  type JobReply,
  minimalJob,
} from "./job_api.ts";

interface SentTag {
  readonly type: string;
  readonly name: string;
  readonly scope?: string;
}

function tag(name: string, scope?: string): SentTag {
  return { type: "t", name, ...(scope === undefined ? {} : { scope }) };
}

/** `name scope` of each tag of an answer. */
function tagsOf(job: { tags?: (SentTag & { id: number })[] }): string[] {
  return (job.tags ?? []).map(({ type, name, scope, id }) => {
    assert.equal(type, "t");
    assert.ok(id > 0);
    return `${name} ${scope}`;
  }).sort();
}

function put(
  server: JobApiServer,
  id: number,
  tags: unknown,
  as = "api",
  status = 200,
): Promise<JobReply> {
  const path = `/api/jobs/tag_job/${id}`;
  return server.expect(status, "POST", path, { as, body: tags });
}

/** What a caller sees on the job by each route that shows tags. */
async function seen(server: JobApiServer, id: number, as: string) {
  const group = as === "api" || as.includes("admin+api") ? "/api" : "/userapi";
  const one = await server.expect(200, "GET", `${group}/jobs/${id}`, { as });
  const post = await server.expect(200, "POST", `${group}/jobs/${id}`, {
    ...{ as, body: "[]" },
  });
  const list = await server.expect(200, "GET", `${group}/jobs/`, { as });
  const listed = list.json.jobs.find((job: { id: number }) => job.id === id);
  const tags = tagsOf(one.json.Meta);
  assert.deepEqual(tagsOf(post.json.Meta), tags);
  assert.deepEqual(tagsOf(listed), tags);
  return tags;
}

Deno.test("tag_job lets write and lets see each scope to whom the contract says", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  const writers: [string, string, number][] = [
    ["api", "global", 200],
    ["api", "admin", 200],
    ["bot:api", "bot", 200],
    ["api", "eve", 403],
    ["api", "private", 403],
    ["demo:admin+api", "global", 200],
    ["demo:admin+api", "admin", 200],
    ["demo:admin+api", "demo", 200],
    ["demo:admin+api", "bot", 403],
    ["demo:admin+api", "Global", 403],
    ["demo:admin+api", "weird", 403],
  ];
  for (const [i, [as, scope, status]] of writers.entries()) {
    const answer = await put(server, id, [tag(`n${i}`, scope)], as, status);
    // The new ones are shown also to who may not see them later.
    if (status === 200) {
      assert.ok(tagsOf(answer.json).includes(`n${i} ${scope}`));
      assert.equal(answer.json.metaData, null);
    }
  }
  const global = ["n0 global", "n5 global"];
  const readers: [string, string[]][] = [
    ["api", [...global, "n2 bot"]],
    ["other:api", global],
    ["demo:admin+api", [...global, "n1 admin", "n6 admin", "n7 demo"]],
    ["sam:support+api", [...global, "n1 admin", "n6 admin"]],
    ["eve:user+api", global],
  ];
  for (const [as, tags] of readers) {
    assert.deepEqual(await seen(server, id, as), [...tags].sort(), as);
  }
});

Deno.test("tag_job takes the same tag again and again, and the same words in other scopes (job-api O11, job-api O26)", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  for (const path of [`${id}`, `${id}/`]) {
    for (const method of ["POST", "PATCH"]) {
      const { json } = await server.expect(
        200,
        method,
        `/api/jobs/tag_job/${path}`,
        {
          as: "demo:admin+api",
          body: [
            tag("n", "global"),
            tag("n", "admin"),
            tag("n", "demo"),
            tag("n", "global"),
          ],
        },
      );
      assert.deepEqual(tagsOf(json), ["n admin", "n demo", "n global"]);
    }
  }
  // A tag without a scope is global, and is told so.
  assert.deepEqual(
    tagsOf((await put(server, id, [tag("m"), tag("k", "")])).json),
    ["k global", "m global", "n global"],
  );
  assert.deepEqual(await seen(server, id, "api"), [
    ...["k global", "m global", "n global"],
  ]);
  assert.deepEqual(tagsOf((await put(server, id, [])).json), [
    ...["k global", "m global", "n global"],
  ]);
});

Deno.test("tag_job sets all tags of a request or none of them", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  const wrong: [unknown, number][] = [
    [[tag("a", "global"), tag("b", "weird")], 403],
    [[tag("a"), { ...tag("b"), id: 3 }], 400],
    [[tag("a"), { type: "t" }], 400],
    [[tag("a"), { type: "", name: "b" }], 400],
    [[tag("a"), null], 400],
    [{}, 400],
    ["", 400],
    ["null", 400],
  ];
  for (const [body, status] of wrong) {
    await put(server, id, body, "api", status);
  }
  assert.deepEqual(await seen(server, id, "api"), []);
  await put(server, 999, [tag("a")], "api", 404);
  for (const method of ["POST", "PATCH", "DELETE"]) {
    await server.expect(400, method, "/api/jobs/tag_job/x", { body: [] });
    await server.expect(404, method, "/api/jobs/tag_job/999", { body: [] });
  }
  await server.expect(405, "GET", `/api/jobs/tag_job/${id}`);
});

Deno.test("tag_job by DELETE takes off global and admin tags; passes over others; refuses unknown ones", async () => {
  await using server = await JobApiServer.start();
  const as = "demo:admin+api";
  const id = await server.startJob(minimalJob(1));
  const other = await server.startJob(minimalJob(2));
  await put(
    server,
    id,
    [tag("g", "global"), tag("a", "admin"), tag("p", "demo")],
    as,
  );
  const remove = async (job: number, tags: SentTag[], status = 200) => {
    const path = `/api/jobs/tag_job/${job}`;
    return (await server.expect(status, "DELETE", path, { as, body: tags }))
      .json;
  };
  assert.deepEqual(
    tagsOf(await remove(id, [tag("p", "demo"), tag("g"), tag("a", "admin")])),
    ["g global", "p demo"],
  );
  // It is a tag, but not one of this job.
  assert.deepEqual(tagsOf(await remove(other, [tag("g", "global")])), []);
  await remove(id, [tag("nope", "global")], 500);
  assert.deepEqual(tagsOf(await remove(id, [tag("g", "global")])), ["p demo"]);
  // A pure API client may take off admin tags, which it does not see.
  await put(server, id, [tag("a", "admin")], as);
  await server.expect(200, "DELETE", `/api/jobs/tag_job/${id}`, {
    body: [tag("a", "admin")],
  });
  assert.deepEqual(await seen(server, id, as), ["p demo"]);
});

Deno.test("tags by DELETE removes tags from every job and from the archive", async () => {
  await using server = await JobApiServer.start();
  const running = await server.startJob(minimalJob(1));
  const stopped = await server.startJob(minimalJob(2));
  const both = [tag("g", "global"), tag("h", "global"), tag("p", "bot")];
  await put(server, running, both);
  await put(server, stopped, both);
  await server.stopAndArchive(stopped, HOUR_AGO + 60);
  const archived = async () =>
    (await server.archive.readMeta({
      ...{ cluster: "fritz", jobId: 2, startTime: HOUR_AGO },
    })).tags.map(({ name }) => name).sort().join();
  assert.equal(await archived(), "g,h,p");
  const { text, headers } = await server.expect(200, "DELETE", "/api/tags/", {
    body: [tag("g", "global"), tag("p", "bot")],
  });
  assert.match(text, /1 .*2/);
  assert.match(String(headers["content-type"]), /^text\/plain/);
  assert.deepEqual(await seen(server, running, "api"), ["h global", "p bot"]);
  await until("archive", async () => await archived() === "h,p" || undefined);
  await server.expect(500, "DELETE", "/api/tags", {
    body: [tag("g", "global")],
  });
  await server.expect(400, "DELETE", "/api/tags", { body: {} });
  await server.expect(405, "GET", "/api/tags");
});

Deno.test("tag_job writes what the archive has, whether set before the stop or after (job-api O25, job-api O27)", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  await put(server, id, [tag("early"), tag("secret", "admin")]);
  await server.stopAndArchive(id, HOUR_AGO + 60);
  const archived = async () =>
    (await server.archive.readMeta({
      ...{ cluster: "fritz", jobId: 1, startTime: HOUR_AGO },
    })).tags.map(({ name, scope }) => `${name} ${scope}`).sort();
  assert.deepEqual(await archived(), ["early global", "secret admin"]);
  await put(server, id, [tag("late")]);
  assert.deepEqual(await archived(), [
    ...["early global", "late global", "secret admin"],
  ]);
  await server.expect(200, "DELETE", `/api/jobs/tag_job/${id}`, {
    body: [tag("early", "global")],
  });
  assert.deepEqual(await archived(), ["late global", "secret admin"]);
});

Deno.test("tag_job answers the scope that a tag without one has", async () => {
  await using server = await JobApiServer.start();
  const id = await server.startJob(minimalJob(1));
  for (const body of [[{ type: "t", name: "n" }], [tag("n", "")]]) {
    const { json } = await server.expect(
      200,
      "POST",
      `/api/jobs/tag_job/${id}`,
      {
        body,
      },
    );
    assert.deepEqual(
      json.tags.map(({ scope }: { scope: string }) => scope),
      ["global"],
    );
  }
});

Deno.test("tokens have no private tags: their names may be those of users", async () => {
  const policy = {
    ...{ name: "carola", displayName: "", active: true },
    scopes: ["jobs:read", "jobs:write"] as const,
    realms: [{ instance: "*", cluster: "*", selectors: [] }],
    expiresSec: Infinity,
  };
  await using server = await JobApiServer.start({
    policies: [policy as unknown as PolicyRecord],
  });
  const id = await server.startJob(minimalJob(1));
  await put(server, id, [tag("secret", "carola")], "carola:admin+api", 200);
  const as = "token:carola";
  const { json } = await server.expect(200, "GET", `/api/jobs/${id}`, { as });
  assert.equal(json.Meta.tags, undefined);
  await put(server, id, [tag("forged", "carola")], as, 403);
  assert.deepEqual(
    await seen(server, id, "carola:admin+api"),
    ["secret carola"],
  );
});
