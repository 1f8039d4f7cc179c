/** Printing the numbers of a big answer: 100,000 doubles of each kind, fixed seed. */
import { JsonWriter } from "../src/metricstore/query/json_writer.ts";

const COUNT = 100_000;

function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = randomSource(1);
const KINDS: Readonly<Record<string, () => number>> = {
  "two decimals": () => Math.round(random() * 20_000) / 100,
  "two decimals, large": () => Math.round(random() * 1e9) / 100,
  "half of them null": () =>
    random() < 0.5 ? NaN : Math.round(random() * 20_000) / 100,
  "integers": () => Math.floor(random() * 1e6),
  "large integers": () => Math.floor(random() * 1e12),
  "six decimals": () => Math.round(random() * 2e8) / 1e6,
  "all digits": () => random() * 200 + random() * 1e-9,
};

let sink = 0;
const writer = new JsonWriter((bytes) => sink += bytes.length);
for (const [kind, next] of Object.entries(KINDS)) {
  const values = Float64Array.from({ length: COUNT }, next);
  const plain = [...values];
  Deno.bench(`JsonWriter.array() ${kind}`, { group: kind }, () => {
    writer.array(values, 0, COUNT);
    writer.flush();
  });
  Deno.bench(`JSON.stringify ${kind}`, { group: kind, baseline: true }, () => {
    sink += JSON.stringify(plain).length;
  });
}

Deno.bench("JsonWriter.string() 1000 host names", () => {
  for (let i = 0; i < 1000; i++) writer.string("node0123.cluster");
  writer.flush();
});
