/** The benchmarks' load: what it claims to send is what is in the bytes. */
import assert from "node:assert/strict";
import {
  type LoadRequest,
  NODE_METRICS,
  renderLoad,
  THREAD_METRICS,
  THREADS_PER_HOST,
} from "../benches/support/load.ts";

const OPTIONS = {
  hosts: 3,
  hostsPerBody: 2,
  order: "host",
  seed: 7,
  writePath: "/api/write",
  headerLines: "",
} as const;

function linesOf(request: LoadRequest): string[] {
  const text = new TextDecoder().decode(request.bytes);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  assert.match(head, new RegExp(`Content-Length: ${body.length}$`));
  assert.ok(body.endsWith("\n"));
  return body.slice(0, -1).split("\n");
}

Deno.test("renderLoad() gives 737 lines a host, all of different series", () => {
  const requests = renderLoad(OPTIONS);
  assert.deepEqual(requests.map((request) => request.lines), [1474, 737]);
  assert.equal(
    Object.keys(NODE_METRICS).length +
      Object.keys(THREAD_METRICS).length * THREADS_PER_HOST,
    737,
  );
  const series = requests.flatMap(linesOf).map((line) => line.split(" ")[0]);
  assert.equal(new Set(series).size, 3 * 737);
});

Deno.test("renderLoad() in the script's order has the same lines", () => {
  const byHost = renderLoad(OPTIONS).flatMap(linesOf);
  const byMetric = renderLoad({ ...OPTIONS, order: "metric" }).flatMap(linesOf);
  const series = (lines: string[]) => lines.map((line) => line.split(" ")[0]);
  assert.notDeepEqual(series(byHost), series(byMetric));
  assert.deepEqual(series(byHost).sort(), series(byMetric).sort());
});

Deno.test("LoadRequest.setTime() and setValues() change every line in place", () => {
  const request = renderLoad({ ...OPTIONS, precise: true })[0];
  assert.ok(request !== undefined);
  const valuesBefore = linesOf(request).map((line) => line.split(" ")[1]);
  for (const time of [1_799_999_940, 1_800_000_000, 1_800_000_060]) {
    request.setTime(time);
    for (const line of linesOf(request)) {
      assert.match(
        line,
        new RegExp(`^[^ ]+ value=[1-9][0-9]\\.[1-9]+ ${time}$`),
      );
    }
  }
  request.setValues();
  const valuesAfter = linesOf(request).map((line) => line.split(" ")[1]);
  assert.notDeepEqual(valuesAfter, valuesBefore);
});
