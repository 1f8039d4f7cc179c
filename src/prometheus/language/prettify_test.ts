/** Long expressions over several lines. */
import assert from "node:assert/strict";
import { parseExpr } from "./parser.ts";
import { prettify } from "./prettify.ts";
import { printExpr } from "./printer.ts";

Deno.test("prettify() leaves short expressions in a line", () => {
  assert.equal(
    prettify(parseExpr("sum(rate(x[5m]))by(a)")),
    "sum by (a) (rate(x[5m]))",
  );
});

Deno.test("prettify() splits what is longer than a line", () => {
  const query = "sum by (cluster, hostname) (rate(energy_joules_total{" +
    `cluster="a cluster of a long name"}[5m])) / on (cluster, hostname) ` +
    `group_left () (count by (cluster, hostname) (up{type="node"}))`;
  const pretty = prettify(parseExpr(query));
  assert.equal(
    pretty,
    `  sum by (cluster, hostname) (rate(energy_joules_total{cluster="a cluster of a long name"}[5m]))
/ on (cluster, hostname) group_left ()
  (count by (cluster, hostname) (up{type="node"}))`,
  );
  assert.equal(printExpr(parseExpr(pretty)), printExpr(parseExpr(query)));
});
