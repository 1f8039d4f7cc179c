/** Resampling and statistics of one day at one sample a minute, fixed values. */
import { lttb } from "../src/metricstore/query/lttb.ts";
import { statistics } from "../src/metricstore/query/statistics.ts";

const COUNT = 1440;
const values = Float64Array.from(
  { length: COUNT },
  (_, i) => (37 * i % 101) + i / 100,
);
const holes = values.map((value, i) => i % 50 === 49 ? NaN : value);
const out = new Float64Array(COUNT);

Deno.bench("lttb() 1440 to 144 points", { group: "lttb" }, () => {
  lttb(values, 0, COUNT, 144, out);
});
Deno.bench("lttb() 1440 to 144 points with holes", { group: "lttb" }, () => {
  lttb(holes, 0, COUNT, 144, out);
});
Deno.bench("lttb() 1440 to 720 points", { group: "lttb" }, () => {
  lttb(values, 0, COUNT, 720, out);
});
Deno.bench("statistics() 1440 points", { group: "statistics" }, () => {
  statistics(values, 0, COUNT);
});
Deno.bench(
  "statistics() 1440 points with holes",
  { group: "statistics" },
  () => {
    statistics(holes, 0, COUNT);
  },
);
