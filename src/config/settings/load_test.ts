import assert from "node:assert/strict";
import { ConfigError } from "./config_error.ts";
import { engineOptions, loadConfig } from "./mod.ts";

const ROOT = new URL("../../../", import.meta.url);
const TESTDATA = new URL("tests/testdata/config/", ROOT);

const read = (file: string) => Deno.readTextFileSync(new URL(file, TESTDATA));

/** What each bad file is answered with: the ends of lines may be left out by `…`. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  "bad_section_file.bad.json": [
    'bad_main.section.json:2:11: main.addr: got 5, expected "host:port", such as "localhost:8082"',
  ],
  "durable_twice.bad.json": [
    'durable_twice.bad.json:5:53: main.api-subjects.durable-job-event: got "d", expected a durable that no subscription of metric-store reads',
  ],
  "empty.bad.json": [
    "empty.bad.json:1:1: is not JSON (ValueExpected), expected JSON, comments allowed",
  ],
  "halves.bad.json": [
    "halves.bad.json:2:11: main.https-key-file: missing, expected a file name, since HTTPS needs a certificate and its key",
    "halves.bad.json:3:78: metric-store.cleanup.directory: missing, expected a directory, since cleanup.mode is archive",
    "halves.bad.json:4:11: nats.password: missing, expected a text, since username and password belong together",
  ],
  "keep_everything.bad.json": [
    "keep_everything.bad.json:2:64: metric-store.memory-cap: got -1, expected a cap, since retention-in-memory 0 keeps everything",
  ],
  "key_twice.bad.json": [
    "key_twice.bad.json:2:27: main.addr: given twice, expected each key once",
  ],
  "main_values.bad.json": [
    'main_values.bad.json:3:13: main.addr: got "localhost", expected "host:port", such as "localhost:8082"',
    "main_values.bad.json:4:23: main.jwt-public-key: got 7, expected a text",
    'main_values.bad.json:5:31: main.disable-authentication: got "yes", expected true or false',
    'main_values.bad.json:6:22: main.max-body-size: got "64 apples", expected bytes, as an integer or as text such as "64MiB"',
    'main_values.bad.json:7:22: main.max-in-flight: got -1, expected bytes, as an integer or as text such as "64MiB"',
    'main_values.bad.json:8:24: main.trusted-proxies: got "10.0.0.1", expected a list of addresses',
    'main_values.bad.json:9:24: main.session-max-age: got "7d", expected a duration such as "48h", "1h30m" or "90s"',
  ],
  "metrics_values.bad.json": [
    "metrics_values.bad.json:4:25: metrics.a.frequency: got 0, expected an integer of at least 1",
    "metrics_values.bad.json:5:25: metrics.b.frequency: got -60, expected an integer of at least 1",
    'metrics_values.bad.json:6:10: metrics.c.aggregation: missing, expected "sum", "avg" or null',
    'metrics_values.bad.json:7:25: metrics.d.frequency: got "60", expected an integer of at least 1',
    'metrics_values.bad.json:7:46: metrics.d.aggregation: got 5, expected "sum", "avg" or null',
    "metrics_values.bad.json:8:10: metrics.e: got 60, expected an object",
    "metrics_values.bad.json:9:58: metrics.f.unit: unknown key, expected one of frequency, aggregation",
    "metrics_values.bad.json:10:9: metrics.: empty name, expected a name that is not empty",
    "metrics_values.bad.json:12:60: clusters.alex.metrics.a.frequency: got 1.5, expected an integer of at least 1",
  ],
  "nats_values.bad.json": [
    'nats_values.bad.json:3:23: metric-store.nats-subscriptions.0.subscribe-to: got "a b", expected a subject: words joined by dots, * for one word, > at the end for the rest',
    'nats_values.bad.json:4:38: metric-store.nats-subscriptions.1.stream: got "a.b", expected a name without blanks, dots, *, > and slashes, or an empty text',
    "nats_values.bad.json:5:5: metric-store.nats-subscriptions.2.durable: missing, expected a name, since stream and durable belong together",
    'nats_values.bad.json:6:74: metric-store.nats-subscriptions.3.queue-group: got "q", expected an empty text, since a durable belongs to one server',
    'nats_values.bad.json:7:54: metric-store.nats-subscriptions.4.durable: got "d", expected a durable that no other subscription reads',
    "nats_values.bad.json:9:11: nats.tls-cert-file: missing, expected a text, since tls-cert-file and tls-key-file belong together",
    'nats_values.bad.json:9:63: nats.nkey-file: got "n", expected an empty text: only one of username, token, creds-file-path, nkey-file is used',
    "nats_values.bad.json:9:106: nats.max-in-flight: got 5, expected at least 1MiB, the size of one message",
  ],
  "no_store.bad.json": [
    "no_store.bad.json:1:1: metric-store: missing, expected an object",
  ],
  "no_such_section_file.bad.json": ["nowhere.json: cannot be read (…"],
  "not_an_object.bad.json": [
    "not_an_object.bad.json:2:1: got a list, expected an object",
  ],
  "required_missing.bad.json": [
    'required_missing.bad.json:2:19: metric-store.retention-in-memory: missing, expected a duration such as "48h", "1h30m" or "90s"',
  ],
  "reserved_name.bad.json": [
    "reserved_name.bad.json:3:3: __proto__: is reserved, expected another name",
  ],
  "section_twice.bad.json": [
    'section_twice.bad.json:3:16: main-file: got "main.section.json", expected no second section "main"',
    "section_twice.bad.json:4:19: metrics-file: got 5, expected the name of a file",
  ],
  "store_values.bad.json": [
    'store_values.bad.json:3:28: metric-store.retention-in-memory: got "2 days", expected a duration such as "48h", "1h30m" or "90s"',
    'store_values.bad.json:4:19: metric-store.memory-cap: got "1", expected a number of at least 0, or -1',
    "store_values.bad.json:5:20: metric-store.num-workers: got 1.5, expected an integer of at most 256",
    'store_values.bad.json:6:19: metric-store.max-future: got "-1h", expected a duration such as "48h", "1h30m" or "90s"',
    'store_values.bad.json:7:28: metric-store.checkpoint-interval: got "0s", expected a duration above zero, such as "48h" or "90s"',
    'store_values.bad.json:8:37: metric-store.checkpoints.file-format: got "avro", expected "wal" or "json"',
    'store_values.bad.json:8:62: metric-store.checkpoints.sync-interval: got 1, expected a duration such as "48h", "1h30m" or "90s"',
    'store_values.bad.json:9:26: metric-store.cleanup.mode: got "archiv", expected "delete" or "archive"',
    "store_values.bad.json:10:28: metric-store.nats-subscriptions.0.subscribe-to: missing, expected a subject: words joined by dots, * for one word, > at the end for the rest",
  ],
  "syntax.bad.json": [
    "syntax.bad.json:2:20: is not JSON (ColonExpected), expected JSON, comments allowed",
  ],
  "two_spellings.bad.json": [
    "two_spellings.bad.json:2:30: main.apiAllowedIPs: unknown key, expected one of addr, …",
  ],
  "unknown_keys.bad.json": [
    "unknown_keys.bad.json:2:20: main.adr: unknown key, expected one of addr, …",
    "unknown_keys.bad.json:2:52: main.backend-token: wrong, expected a text",
    "unknown_keys.bad.json:3:11: mein: unknown section, expected one of main, auth, metrics, clusters, metric-store, …",
  ],
};

Deno.test("loadConfig() names file, place, key, value and what it expects of every bad file", () => {
  const files = [...Deno.readDirSync(TESTDATA)].map(({ name }) => name)
    .filter((name) => name.endsWith(".bad.json"));
  assert.deepEqual(files.sort(), Object.keys(EXPECTED).sort());
  for (const [file, expected] of Object.entries(EXPECTED)) {
    assert.throws(() => loadConfig(file, read), (error: unknown) => {
      assert.ok(error instanceof ConfigError, String(error));
      const lines = error.message.split("\n");
      assert.deepEqual(
        lines.map((line, i) => {
          const wanted = expected[i] ?? "";
          const head = wanted.slice(0, -1);
          return wanted.endsWith("…") && line.startsWith(head) ? wanted : line;
        }),
        expected,
      );
      return true;
    });
  }
});

Deno.test("loadConfig() loads the example of the upstream server unchanged", () => {
  const { config, notes } = loadConfig("upstream.good.json", read);
  assert.deepEqual(config.main.addr, { host: "0.0.0.0", port: 8082 });
  assert.equal(Object.keys(config.metrics).length, 41);
  assert.equal(config["metric-store"]["retention-in-memory"], 48 * 3600);
  assert.equal(config["metric-store"]["nats-subscriptions"].length, 2);
  assert.deepEqual(notes, []);
});

Deno.test("loadConfig() loads the shipped configuration without a note", () => {
  const file = new URL("config.json", ROOT).pathname;
  const { config, notes } = loadConfig(file);
  assert.deepEqual(notes, []);
  assert.deepEqual(config.main.addr, { host: "localhost", port: 8082 });
  assert.equal(config.main["jwt-public-key"], "");
  const upstream = loadConfig("upstream.good.json", read).config;
  for (const [name, metric] of Object.entries(upstream.metrics)) {
    assert.deepEqual(config.metrics[name], metric, name);
  }
  assert.ok("rapl_power" in config.metrics);
});

Deno.test("loadConfig() takes older spellings and parts that are not served with notes", () => {
  const { config, notes } = loadConfig("cc_backend.good.json", read);
  assert.deepEqual(config.main["api-allowed-ips"], ["*"]);
  assert.equal(config.auth.jwts["max-age"], 2000 * 3600);
  assert.deepEqual(config.metrics.m60, { frequency: 60, aggregation: null });
  assert.deepEqual(config.metrics.n60, { frequency: 60, aggregation: null });
  assert.deepEqual(config.clusters, {
    alex: { metrics: { m60: { frequency: 30, aggregation: "sum" } } },
    fritz: { metrics: {} },
  });
  assert.deepEqual(notes.filter(({ level }) => level === "info"), [
    {
      level: "info",
      message:
        "main.apiAllowedIPs is an older spelling of main.api-allowed-ips",
    },
    { level: "info", message: "jwts is an older spelling of auth.jwts" },
  ]);
  const [unserved, odd] = notes.filter(({ level }) => level === "warn");
  assert.match(
    unserved?.message ?? "",
    /^configured but not served: ui, auth\.ldap, auth\.oidc, archive\.kind, metric-store-external, main\.enable-job-taggers\b/,
  );
  assert.equal(
    odd?.message,
    'metrics.m60.aggregation: "median" is not known and taken for null',
  );
});

Deno.test("loadConfig() tells once why a file cannot be read", () => {
  const fail = () => {
    throw new Error("no such file");
  };
  assert.throws(() => loadConfig("nowhere.json", fail), (error: unknown) => {
    assert.ok(error instanceof ConfigError);
    assert.match(
      error.message,
      /^nowhere.json: cannot be read \(no such file\)/,
    );
    assert.equal(error.message.split("no such file").length, 2);
    // Whoever prints an error adds its cause.
    assert.equal(error.cause, undefined);
    return true;
  });
});

Deno.test("loadConfig() reads sections from files of their own", () => {
  const { config } = loadConfig("sections.good.json", read);
  assert.equal(config.main.addr.port, 1234);
  assert.equal(config["metric-store"]["retention-in-memory"], 3600);
  assert.deepEqual(Object.keys(config.metrics), ["m60"]);
});

Deno.test("loadConfig() gives a frozen configuration", () => {
  const { config } = loadConfig("upstream.good.json", read);
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.main.addr));
  assert.ok(Object.isFrozen(config.metrics.clock));
});

Deno.test("loadConfig() warns when nobody is asked for a credential", () => {
  const open = (addr: string) =>
    loadConfig("config.json", () =>
      JSON.stringify({
        main: { addr, "disable-authentication": true },
        "metric-store": { "retention-in-memory": "1h", "memory-cap": 0 },
        metrics: { m: { frequency: 1, aggregation: "sum" } },
      })).notes.map(({ level, message }) => `${level}: ${message}`).join("\n");
  assert.match(open("localhost:1"), /^warn: main\.disable-authentication: /);
  assert.match(open(":1"), /^warn: .*on an address of the network: EVERYBODY/);
});

Deno.test("engineOptions() says what the engine needs in its own words", () => {
  const { config } = loadConfig("cc_backend.good.json", read);
  const metrics = {
    defaults: { m60: { frequencySec: 60, aggregation: null } },
    clusters: {},
  };
  assert.deepEqual(engineOptions(config, metrics, 2), {
    shards: 2,
    metrics,
    retentionSec: 172_800,
    evaluators: 1,
    maxFutureSec: 3600,
    maxSeries: 0,
    maxHosts: 0,
    maxNameBytes: 256,
    maxQuerySamples: 0,
    missingIdPlaceholder: true,
    memoryCapBytes: 500_000_000,
    persistence: {
      directory: "./var/checkpoints",
      syncIntervalSec: 1,
      snapshotIntervalSec: 43_200,
      maxLogBytes: 2 ** 28,
    },
    archive: undefined,
  });
});

Deno.test("engineOptions() takes the number of shards from the cores where none is given", () => {
  const { config } = loadConfig("upstream.good.json", read);
  const metrics = { defaults: {}, clusters: {} };
  const shards = (cores: number) =>
    engineOptions(config, metrics, cores).shards;
  assert.deepEqual([1, 2, 3, 8, 17, 64].map(shards), [2, 2, 2, 7, 16, 16]);
});

Deno.test("loadConfig() takes a file that begins with a byte order mark", () => {
  const file = "upstream.good.json";
  const marked = (name: string) => `\ufeff${read(name)}`;
  assert.deepEqual(
    loadConfig(file, marked).config,
    loadConfig(file, read).config,
  );
});
