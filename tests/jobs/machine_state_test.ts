/** States of machines: kept as they are, read in whole and in parts (job-api 2.15). */
import assert from "node:assert/strict";
import { JobApiServer } from "./job_api.ts";

const PATH = "/api/machine_state/fritz/f0101";

Deno.test("machine_state gives back the bytes that were kept last, by both methods and spellings", async () => {
  await using server = await JobApiServer.start();
  await server.expect(404, "GET", PATH);
  let count = 0;
  for (const method of ["PUT", "POST"]) {
    for (const slash of ["", "/"]) {
      const bytes = new Uint8Array([0, 255, ++count]);
      const kept = await server.expect(201, method, PATH + slash, {
        body: bytes,
      });
      assert.equal(kept.text, "");
      assert.equal(kept.headers["content-type"], undefined);
      const { text, headers } = await server.expect(200, "GET", PATH + slash);
      assert.equal(text, new TextDecoder().decode(bytes));
      assert.equal(headers["content-length"], "3");
    }
  }
  await server.expect(201, "PUT", PATH);
  assert.equal((await server.expect(200, "GET", PATH)).text, "");
  await server.expect(405, "DELETE", PATH);
});

Deno.test("machine_state answers conditional and range requests", async () => {
  await using server = await JobApiServer.start();
  await server.expect(201, "PUT", PATH, { body: "0123456789" });
  const whole = await server.expect(200, "GET", PATH);
  const modified = String(whole.headers["last-modified"]);
  assert.equal(whole.headers["accept-ranges"], "bytes");
  const get = (status: number, headers: Record<string, string>) =>
    server.expect(status, "GET", PATH, { headers });
  assert.equal((await get(304, { "If-Modified-Since": modified })).text, "");
  await get(200, { "If-Modified-Since": new Date(0).toUTCString() });
  await get(200, { "If-Modified-Since": "yesterday" });
  const ranges: [string, string, string][] = [
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=-99", "0123456789", "bytes 0-9/10"],
  ];
  for (const [Range, text, place] of ranges) {
    const part = await get(206, { Range });
    assert.equal(part.text, text, Range);
    assert.equal(part.headers["content-range"], place);
  }
  const beyond = await get(416, { Range: "bytes=10-" });
  assert.equal(beyond.headers["content-range"], "bytes */10");
  for (const Range of ["bytes=3-1", "lines=0-1", "bytes=0-1,3-4", "bytes=-"]) {
    assert.equal((await get(200, { Range })).text, "0123456789", Range);
  }
  await get(206, { Range: "bytes=0-3", "If-Range": modified });
  await get(200, {
    Range: "bytes=0-3",
    "If-Range": new Date(0).toUTCString(),
  });
});

Deno.test("machine_state refuses names that lead elsewhere, and nodes that no cluster has", async () => {
  await using server = await JobApiServer.start();
  const bad = ["..", "a..b", "..%2f..", "a%2Fb", "a%5Cb", "%2e%2e", "%00", "."];
  for (const name of [...bad, "a%0Ab", "%7F", "x".repeat(201)]) {
    for (const method of ["PUT", "POST", "GET"]) {
      const body = method === "GET" ? {} : { body: "x" };
      for (const path of [`${name}/f0101`, `fritz/${name}`]) {
        await server.expect(400, method, `/api/machine_state/${path}`, body);
      }
    }
  }
  const unknown = ["nope/f0101", "fritz/x1", "alex/f0101", "fritz/%25"];
  for (const path of unknown) {
    const { json } = await server.expect(
      404,
      "PUT",
      `/api/machine_state/${path}`,
      { body: "x" },
    );
    assert.match(json.error, /^(cluster|host): /);
    await server.expect(404, "GET", `/api/machine_state/${path}`);
  }
});

Deno.test("machine_state reads plain files only, and takes no more than 4 MiB of a node", async () => {
  await using server = await JobApiServer.start();
  await server.expect(413, "PUT", PATH, { body: new Uint8Array(4 << 20 | 1) });
  await server.expect(201, "PUT", PATH, { body: new Uint8Array(4 << 20) });
  const directory = `${server.jobs.services.machineStateDir}/fritz`;
  assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), [
    "f0101.json",
  ]);
  const outside = `${directory}/../outside`;
  await Deno.writeTextFile(outside, "secret");
  await Deno.symlink(outside, `${directory}/f0102.json`);
  await Deno.mkdir(`${directory}/f0103.json`);
  for (const host of ["f0102", "f0103"]) {
    await server.expect(404, "GET", `/api/machine_state/fritz/${host}`);
  }
  // What is kept takes the place of the link, not of what it leads to.
  await server.expect(201, "PUT", "/api/machine_state/fritz/f0102", {
    body: "own",
  });
  assert.equal(await Deno.readTextFile(outside), "secret");
  const kept = await server.expect(
    200,
    "GET",
    "/api/machine_state/fritz/f0102",
  );
  assert.equal(kept.text, "own");
});

Deno.test("machine_state is no route where no directory is configured", async () => {
  await using server = await JobApiServer.start({
    main: { "machine-state-dir": "" },
  });
  for (const method of ["GET", "PUT", "POST"]) {
    const body = method === "GET" ? {} : { body: "x" };
    await server.expect(404, method, PATH, body);
    await server.expect(404, method, `${PATH}/`, body);
  }
});
