/**
 * Moving samples in and out of a real server with the program's own commands:
 * upstream's recorded checkpoints, exports in both formats, and what the commands
 * say where something is left behind.
 */
import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { generateKeyPair } from "../src/access/ed25519.ts";
import { SAMPLE_TOKEN, TestClient } from "./support/client.ts";
import {
  makeDirectory,
  programArguments,
  ROOT,
  TestServer,
  workDirectory,
} from "./support/server.ts";

const GOLDEN = `${ROOT}tests/testdata/golden/checkpoints`;
const FORMATS = ["json", "bin", "wal"] as const;

/** The recorded samples keep their times, so the server must take any. */
const ANY_TIME = {
  "retention-in-memory": "876000h",
  "max-future": "876000h",
};
const METRICS = {
  f1: { frequency: 1, aggregation: "avg" },
  f5: { frequency: 5, aggregation: "sum" },
} as const;

interface Written {
  readonly metric: string;
  readonly cluster: string;
  readonly host: string;
  readonly tags: string;
  readonly value: number;
  readonly time: number;
}

async function run(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...programArguments(), ...args],
    cwd: workDirectory(),
    env: { NO_COLOR: "1", JWT_PUBLIC_KEY: "", JWT_PRIVATE_KEY: "", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), bytes: stdout, err: text(stderr) };
}

function runAt(server: TestServer, command: string, ...args: string[]) {
  const at = ["--url", server.url, "--token", SAMPLE_TOKEN];
  return run({}, command, ...args, ...at);
}

/** Everything a server has of the cluster, as lines. */
async function exportLines(server: TestServer): Promise<string[]> {
  const range = ["--from", "0", "--to", "99999999999"];
  const { code, out, err } = await runAt(
    server,
    "export",
    "--cluster",
    "alex",
    ...range,
  );
  assert.equal(code, 0, err);
  return out.trimEnd().split("\n");
}

/** Lines as a map from the key to the samples. */
function bySeries(lines: readonly string[]): Map<string, [number, number][]> {
  const series = new Map<string, [number, number][]>();
  for (const line of lines) {
    const [key = "", field = "", time] = line.split(" ");
    const samples = series.get(key) ?? [];
    samples.push([Number(time), Number(field.replace("value=", ""))]);
    series.set(key, samples);
  }
  return series;
}

async function inDirectory(use: (directory: string) => Promise<void>) {
  const directory = await makeDirectory();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A checkpoint of one host with these members. */
async function writeCheckpoint(
  directory: string,
  host: string,
  level: unknown,
): Promise<void> {
  await Deno.mkdir(`${directory}/alex/${host}`, { recursive: true });
  const file = `${directory}/alex/${host}/1000.json`;
  await Deno.writeTextFile(file, JSON.stringify(level));
}

async function written(format: string): Promise<Written[]> {
  return JSON.parse(
    await Deno.readTextFile(`${GOLDEN}/${format}/written.json`),
  );
}

Deno.test("ringstore import brings all of upstream's files into the nearest slots", () =>
  inDirectory(async (directory) => {
    for (const format of FORMATS) {
      for (const host of ["a0101", "a0102"]) {
        const from = `${GOLDEN}/${format}/alex/${host}`;
        await Deno.mkdir(`${directory}/alex/${host}`, { recursive: true });
        for (const { name } of Deno.readDirSync(from)) {
          const to = `${directory}/alex/${host}/${name}`;
          await Deno.copyFile(`${from}/${name}`, to);
        }
      }
    }
    await Deno.writeTextFile(`${directory}/alex/a0101/1.json.tmp`, "{");
    await Deno.writeTextFile(`${directory}/alex/current.wal`, "");
    await Deno.mkdir(`${directory}/alex/a0102/archive`);
    await using server = await TestServer.start({
      metrics: METRICS,
      metricStore: ANY_TIME,
    });
    const types = ["--types", "fs"];
    const { code, out, err } = await runAt(
      server,
      "import",
      directory,
      ...types,
    );
    assert.equal(code, 0, out + err);
    assert.match(out, /files read +6 {2}\(2 json, 2 bin, 2 wal\)/);
    assert.match(out, /samples in them +352\n/);
    assert.match(out, /stored +352\n/);
    assert.match(out, /passed over: .*1\.json\.tmp: left over/);
    assert.match(out, /passed over: .*alex\/current\.wal: samples that had no/);
    assert.match(out, /passed over: .*archive: a directory below a host/);
    assert.match(err, /100 % {2}352 samples/);

    const stored = bySeries(await exportLines(server));
    let samples = 0;
    for (const format of FORMATS) {
      for (const one of await written(format)) {
        samples++;
        const half = one.metric === "f5" ? 2.5 : 0.5;
        const key = `${one.metric},cluster=${one.cluster},hostname=${one.host}${
          one.tags === "" ? "" : `,${one.tags}`
        }`.replace("stype=fs,stype-id=home", "stype=fshome");
        const slot = stored.get(key)?.find(([time]) =>
          Math.abs(time - one.time) <= half
        );
        assert.ok(slot !== undefined, `${key} at ${one.time}`);
        const float32 = Math.fround(one.value);
        if (format === "json") {
          assert.ok(Math.abs(slot[1] - float32) < 0.051, `${key} ${slot}`);
        } else assert.equal(slot[1], float32, key);
      }
    }
    const slots = [...stored.values()].reduce(
      (sum, { length }) => sum + length,
      0,
    );
    assert.equal(slots, samples);

    // `--types` gave the level the labels that collectors send.
    const client = new TestClient(server.url);
    const live = await client.write(
      "f1,cluster=alex,hostname=a0101,type=socket,type-id=0,stype=fs,stype-id=home value=1 1795225110",
    );
    client.close();
    assert.equal(live.status, 200, live.text);
  }));

Deno.test("ringstore import says what it leaves behind and why", () =>
  inDirectory(async (directory) => {
    const f1 = (start: number, ...data: (number | null)[]) => ({
      f1: { frequency: 1, start, data },
    });
    const children = {
      a: { children: { b: { children: { c: { metrics: f1(1000, 1) } } } } },
      "x\n": { metrics: f1(1000, 1, 2) },
    };
    await writeCheckpoint(directory, "h1", {
      metrics: {
        ...f1(1000, 1, null, 2, 3),
        gone: { frequency: 1, start: 1000, data: [1, 2, 3, 4, 5] },
      },
      children,
    });
    await using server = await TestServer.start({ metrics: METRICS });
    const { code, out } = await runAt(server, "import", directory);
    assert.equal(code, 0, out);
    assert.match(out, /samples in them +11\nstored +0\n/);
    assert.match(
      out,
      /skipped, too-old +3 {2}\(older than the server's retention-in-memory\)/,
    );
    assert.match(out, /unknown-metric +5 {2}\(metric not configured\)/);
    assert.match(out, /not configured: alex\/gone: 5\n/);
    assert.match(out, /skipped, bad-name +2 /);
    assert.match(out, /skipped, too-deep +1 /);
  }));

Deno.test("ringstore import ends with 1 where the server refuses or a file is damaged", () =>
  inDirectory(async (directory) => {
    await using server = await TestServer.start({
      metrics: METRICS,
      metricStore: ANY_TIME,
    });
    const client = new TestClient(server.url);
    const path = "cluster=alex,hostname=h1,type=socket,type-id=0";
    await client.write(`f1,${path},stype=fs,stype-id=home value=1 5000`);
    client.close();
    const metrics = { f1: { frequency: 1, start: 1000, data: [1, 2] } };
    await writeCheckpoint(directory, "h1", {
      children: { socket0: { metrics, children: { fshome: { metrics } } } },
    });
    await Deno.writeTextFile(`${directory}/alex/h1/2000.json`, `{"metrics":`);
    await Deno.writeTextFile(`${directory}/alex/h1/3000.bin`, "garbage");
    const args = ["import", "--cluster", "alex", directory];
    const [command = "", ...others] = args;
    const { code, out, err } = await runAt(server, command, ...others);
    assert.equal(code, 1, out);
    assert.match(out, /stored +2\nrefused, ambiguous-level +2\n/);
    assert.match(out, /refused: f1,cluster=alex,.*stype=fshome value=1 1000: /);
    assert.match(out, /--types names further types/);
    assert.match(out, /damaged: .*2000\.json: no JSON: /);
    assert.match(out, /damaged: .*3000\.bin: no binary snapshot/);
    assert.match(err, /ringstore: 2 samples refused, 2 files damaged\n$/);

    const none = await runAt(server, "import", "--cluster", "zz", directory);
    assert.equal(none.code, 1);
    assert.match(none.err, /there are no samples below /);
  }));

Deno.test("ringstore import signs its own token, or says why it cannot", () =>
  inDirectory(async (directory) => {
    const pair = await generateKeyPair();
    const main = { "jwt-public-key": pair.publicKey.base64 };
    await using server = await TestServer.start({
      metrics: METRICS,
      main,
      metricStore: ANY_TIME,
    });
    await writeCheckpoint(directory, "h1", {
      metrics: { f1: { frequency: 1, start: 1000, data: [1] } },
    });
    const config = ["-config", `${server.directory}/config.json`];
    const args = ["import", directory, ...config];
    const at = ["--url", server.url];
    const env = { JWT_PRIVATE_KEY: pair.base64 };
    const good = await run(env, ...args, ...at);
    assert.equal(good.code, 0, good.err);
    const keyless = await run({}, ...args, ...at);
    assert.equal(keyless.code, 1);
    assert.match(
      keyless.err,
      /cannot sign a token, give --token: \S/,
    );
    const portless = await run(env, ...args);
    assert.match(portless.err, /main\.addr leaves the port open: give --url/);
    const wrong = await run({}, ...args, ...at, "--token", "a.b.c");
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /answers 401: /);
  }));

/** Off the grid, with gaps beyond a run, late samples and names that need care. */
function awkwardLines(): string[] {
  const path = "cluster=alex,hostname=h\\ 1";
  const lines: string[] = [];
  for (let i = 0; i < 1300; i++) {
    const gap = i >= 600 ? 9000 : 0;
    lines.push(`f5,${path} value=${i / 3} ${100_003 + 5 * i + gap}`);
    if (i % 7 === 0) continue;
    lines.push(
      `f1,${path},type=accelerator,type-id=00000000:49:00.0 value=${i} ${
        200_000 + i
      }`,
    );
  }
  for (let i = 0; i < 40; i++) {
    lines.push(`f5,${path},type=core,type-id=7 value=-${i}e-9 ${99_000 + i}`);
    lines.push(`f1,${path},type=odd\\,one value=1e300 ${199_000 + 3 * i}`);
  }
  lines.push(
    `f1,${path},type=socket,type-id=1,stype=fs,stype-id=/x value=0.1 5000`,
  );
  lines.push("f1,cluster=alex,hostname=h2 value=12345678901234567890 5000");
  return lines;
}

Deno.test("ringstore export gives lines that make the same slots in a new server", async () => {
  const options = { metrics: METRICS, metricStore: ANY_TIME };
  await using first = await TestServer.start(options);
  await using second = await TestServer.start(options);
  const from = new TestClient(first.url);
  const to = new TestClient(second.url);
  try {
    const sent = await from.write(awkwardLines().join("\n"));
    assert.equal(sent.status, 200, sent.text);
    const lines = await exportLines(first);
    assert.equal((await to.write(lines.join("\n"))).status, 200);
    assert.deepEqual(await exportLines(second), lines);
    const debug = async (client: TestClient) => {
      const path = "/api/debug?selector=alex";
      const { text } = await client.send({ method: "GET", path });
      return JSON.parse(text);
    };
    assert.deepEqual(await debug(to), await debug(from));

    const part = await runAt(
      first,
      "export",
      ...["--cluster", "alex", "--host", "h 1,h3", "--metric", "f1"],
      ...["--from", "1970-01-03T07:33:20Z", "--to", "200003"],
    );
    assert.equal(part.code, 0, part.err);
    assert.deepEqual(
      part.out.trimEnd().split("\n").map((line) => line.split(" ").at(-1)),
      ["200001", "200002"],
    );
    assert.match(part.err, /no such host: h3\n2 samples of 1 hosts\n$/);
  } finally {
    from.close();
    to.close();
  }
});

Deno.test("ringstore export asks for less at once where the server has a bound", async () => {
  await using server = await TestServer.start({
    metrics: METRICS,
    metricStore: { ...ANY_TIME, "max-query-samples": 100 },
  });
  const client = new TestClient(server.url);
  const lines: string[] = [];
  for (let i = 0; i < 60; i++) {
    for (let core = 0; core < 6; core++) {
      const tags = `cluster=alex,hostname=h,type=core,type-id=${core}`;
      lines.push(`f1,${tags} value=${i} ${1000 + i}`);
    }
  }
  await client.write(lines.join("\n"));
  client.close();
  assert.deepEqual((await exportLines(server)).sort(), lines.sort());
});

Deno.test("ringstore export writes Parquet that a reader understands", () =>
  inDirectory(async (directory) => {
    await using server = await TestServer.start({
      metrics: METRICS,
      metricStore: ANY_TIME,
    });
    const client = new TestClient(server.url);
    await client.write(awkwardLines().join("\n"));
    client.close();
    const out = `${directory}/alex.parquet`;
    const { code, err } = await runAt(
      server,
      "export",
      ...["--cluster", "alex", "--from", "0", "--to", "99999999999"],
      ...["--format", "parquet", "--out", out],
    );
    assert.equal(code, 0, err);
    const bytes = await Deno.readFile(out);
    const rows = await parquetReadObjects({
      file: bytes.buffer,
      compressors: { ZSTD: (input) => zstdDecompressSync(input) },
    });
    const lines = await exportLines(server);
    assert.equal(rows.length, lines.length);
    const found = rows.map((row) =>
      `${row["metric"]} ${row["hostname"]} ${row["timestamp"]} ${row["value"]}`
    );
    const expected = lines.map((line) => {
      const [, metric, host, value, time] =
        /^([^,]+),cluster=alex,hostname=((?:\\ |[^, ])+).* value=(\S+) (\d+)$/
          .exec(line) ?? [];
      return `${metric} ${host?.replace("\\ ", " ")} ${time} ${Number(value)}`;
    });
    assert.deepEqual(found.sort(), expected.sort());
    const scopes = new Set(
      rows.map((row) =>
        JSON.stringify([row["scope"], row["scope_id"], row["parent_scope"]])
      ),
    );
    assert.deepEqual([...scopes].sort(), [
      `["accelerator","00000000:49:00.0",null]`,
      `["core","7",null]`,
      `["fs/x","","socket"]`,
      `["node","",null]`,
      `["odd,one","",null]`,
    ]);
    assert.deepEqual(
      new Set(rows.map((row) => row["frequency"])),
      new Set([1n, 5n]),
    );

    const elsewhere = await runAt(
      server,
      "export",
      ...["--cluster", "alex", "--from", "0", "--to", "9"],
      ...["--out", `${ROOT}tests/x.lines`],
    );
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.err, /may not write .*below \.\/var only/);
  }));
