import assert from "node:assert/strict";
import { Parameters } from "./parameters.ts";

const FORM = "application/x-www-form-urlencoded";

function parametersOf(
  search: string,
  body = "",
  type: string | undefined = FORM,
) {
  return new Parameters(
    new URLSearchParams(search),
    type,
    new TextEncoder().encode(body),
  );
}

Deno.test("Parameters puts URL and body together, the body's value first", () => {
  const both = parametersOf("a=1&m=x&m=y", "a=2&m=z");
  assert.equal(both.text("a"), "2");
  assert.deepEqual(both.all("m"), ["z", "x", "y"]);
  assert.equal(parametersOf("a=1", "a=2", "application/json").text("a"), "1");
  assert.equal(
    parametersOf("a=1", "a=2", `${FORM}; charset=utf-8`).text("a"),
    "2",
  );
  assert.throws(() => parametersOf("", "a&".repeat(10_000)), {
    code: "E_BAD_REQUEST",
    message: "the form has more than 10000 fields",
  });
});

Deno.test("Parameters.timeMs() reads seconds and RFC 3339", () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["1.5", 1500],
    ["-1", -1000],
    ["1e3", 1_000_000],
    [".0004", 0],
    ["1700000000.1234", 1_700_000_000_123],
    ["2023-11-14T22:13:20Z", 1_700_000_000_000],
    ["2023-11-14T22:13:20.5Z", 1_700_000_000_500],
    ["2023-11-14T23:13:20+01:00", 1_700_000_000_000],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000],
    ["0099-12-31T23:59:59Z", -59_011_459_201_000],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000],
    ["2023-02-29T00:00:00Z", undefined],
    ["2023-11-14 22:13:20Z", undefined],
    ["2023-11-14T24:00:00Z", undefined],
    ["2023-11-14T22:13:20", undefined],
    ["NaN", undefined],
    ["Inf", undefined],
    ["0x10", undefined],
    ["1e300", undefined],
    ["1 ", undefined],
  ];
  for (const [text, ms] of cases) {
    const given = parametersOf(String(new URLSearchParams({ time: text })));
    if (ms !== undefined) assert.equal(given.timeMs("time", 0), ms, text);
    else {
      assert.throws(() => given.timeMs("time", 0), {
        message:
          `invalid parameter "time": cannot parse "${text}" to a valid timestamp`,
      });
    }
  }
  // The first and the last time, as Prometheus prints them.
  const ends = parametersOf(String(
    new URLSearchParams({
      start: "-292273086-05-16T16:47:06Z",
      end: "+292277025-08-18T07:12:54.999999999Z",
    }),
  ));
  assert.ok(ends.timeMs("start", 0) < -9e15);
  assert.ok(ends.timeMs("end", 0) > 9e15);
});

Deno.test("Parameters.durationMs() reads seconds and durations, limit() integers", () => {
  const given = (text: string) =>
    parametersOf(String(new URLSearchParams({ step: text })));
  const cases: [string, number][] = [
    ["15", 15_000],
    ["0.25", 250],
    ["1h30m", 5_400_000],
    ["1w", 604_800_000],
    ["1ms", 1],
    ["0", 0],
  ];
  for (const [text, ms] of cases) {
    assert.equal(given(text).durationMs("step"), ms, text);
  }
  for (const text of ["1m1h", "1h1h", "5x", "h", "1.5h", "NaN"]) {
    assert.throws(() => given(text).durationMs("step"), {
      message:
        `invalid parameter "step": cannot parse "${text}" to a valid duration`,
    });
  }
  assert.equal(parametersOf("limit=7").limit("limit"), 7);
  assert.equal(parametersOf("").limit("limit"), 0);
  for (const text of ["-1", "1.5", "x", "9".repeat(20)]) {
    assert.throws(() => parametersOf(`limit=${text}`).limit("limit"), {
      code: "E_BAD_REQUEST",
    });
  }
});
