import assert from "node:assert/strict";
import { parseCommandLine } from "./command_line.ts";
import { UsageError } from "./flags.ts";

const COMMON = {
  configFile: "./config.json",
  logLevel: "warn",
  logDates: false,
};
const HERE = { url: undefined, token: undefined };

Deno.test("parseCommandLine() reads import with its directory among the flags", () => {
  const expected = {
    ...COMMON,
    command: "import",
    directory: "d",
    cluster: "c",
    types: ["fs", "device"],
    server: HERE,
  };
  for (
    const args of [
      "import d --cluster c --types fs,device",
      "import --cluster c d --types=fs,,device",
      "import --cluster c --types fs,device d",
    ]
  ) assert.deepEqual(parseCommandLine(args.split(" ")), expected, args);
});

Deno.test("parseCommandLine() reads export and its times", () => {
  const args = "export --cluster c --host a,b --from 5 --to " +
    "1970-01-01T01:00:00+00:30 --format parquet --out f --url http://h:1 --token t";
  assert.deepEqual(parseCommandLine(args.split(" ")), {
    ...COMMON,
    command: "export",
    cluster: "c",
    hosts: ["a", "b"],
    metrics: [],
    fromSec: 5,
    toSec: 1800,
    types: [],
    format: "parquet",
    out: "f",
    server: { url: "http://h:1", token: "t" },
  });
});

Deno.test("parseCommandLine() takes a day for its first second, and knows the calendar", () => {
  const read = (from: string, ...more: string[]) =>
    parseCommandLine([
      ..."export --cluster c --to 2e9".replace("2e9", "2000000000").split(" "),
      ...["--from", from, ...more],
    ]);
  const cases: [string, number][] = [
    ["2028-02-29", 1_835_395_200],
    ["2028-02-29T00:00Z", 1_835_395_200],
    ["2028-02-29T01:00:00+01:00", 1_835_395_200],
    ["-5", -5],
  ];
  for (const [from, sec] of cases) {
    const line = read(from, "--types", "fs, device");
    assert.ok(line.command === "export");
    assert.equal(line.fromSec, sec, from);
    assert.deepEqual(line.types, ["fs", "device"]);
  }
  for (
    const from of [
      "2026-02-29",
      "2026-02-30T00:00:00Z",
      "2026-04-31",
      "2026-13-01",
      "2026-00-01",
      "2026-01-01T24:00:01Z",
      "2026-01-01T00:61:00Z",
      "2026-01-01T00:00:00+25:00",
    ]
  ) assert.throws(() => read(from), /--from is Unix time/, from);
});

Deno.test("parseCommandLine() reads estimate and presumes what is usual", () => {
  const args = "estimate --hosts 1000 --series-per-host 737";
  assert.deepEqual(parseCommandLine(args.split(" ")), {
    ...COMMON,
    command: "estimate",
    hosts: 1000,
    seriesPerHost: 737,
    frequencySec: 60,
    retentionSec: 172_800,
  });
});

Deno.test("parseCommandLine() says what is wrong with a transfer", () => {
  const range = "export --cluster c --from 1";
  const cases: readonly (readonly [string, RegExp])[] = [
    ["import", /import needs DIR/],
    ["import a b", /unexpected word: b/],
    ["import a --cluster b c", /unexpected word: c/],
    ["import a --url h:8082", /--url is such as .* not "h:8082"/],
    ["export c", /unexpected word: c/],
    ["export --from 1 --to 2", /export needs --cluster NAME/],
    [range, /export needs --to TIME/],
    [`${range} --to tomorrow`, /--to is Unix time .* not "tomorrow"/],
    [`${range} --to 2026-11-21T08:00:00`, /--to is Unix time/],
    [`${range} --to 2 --format csv`, /--format is one of line, parquet/],
    ["estimate --hosts 5", /estimate needs --series-per-host N/],
    ["estimate --hosts 0 --series-per-host 1", /--hosts is a positive/],
    [
      "estimate --hosts 1 --series-per-host 1 --retention 2d",
      /--retention is a duration of at least 1s, not "2d"/,
    ],
  ];
  for (const [args, message] of cases) {
    assert.throws(
      () => parseCommandLine(args.split(" ")),
      (error) => error instanceof UsageError && message.test(error.message),
      args,
    );
  }
});
