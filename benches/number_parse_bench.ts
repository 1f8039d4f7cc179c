/** Reading 10,000 field values or timestamps of each kind from bytes, fixed seed. */
import {
  parseFieldValue,
  parseTimestampSec,
} from "../src/metricstore/ingest/number_parse.ts";

const COUNT = 10_000;

function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = randomSource(1);
const KINDS: Readonly<Record<string, () => string>> = {
  "two decimals": () => (random() * 200).toFixed(2),
  "integers": () => String(Math.floor(random() * 1e5)),
  "large integers with a suffix": () => `${Math.floor(random() * 1e12)}i`,
  "exponents": () => random().toExponential(5),
  "all digits": () => String(random() * 200 + random() * 1e-9),
};

function pack(texts: readonly string[]): [Uint8Array, Int32Array] {
  const ends = new Int32Array(texts.length + 1);
  texts.forEach((text, i) => ends[i + 1] = ends[i]! + text.length);
  return [new TextEncoder().encode(texts.join("")), ends];
}

function parseAll(
  bytes: Uint8Array,
  ends: Int32Array,
  parse: (bytes: Uint8Array, start: number, end: number) => number,
): number {
  let sum = 0;
  for (let i = 0; i < COUNT; i++) sum += parse(bytes, ends[i]!, ends[i + 1]!);
  return sum;
}

const DECODER = new TextDecoder();

for (const [kind, next] of Object.entries(KINDS)) {
  const [bytes, ends] = pack(Array.from({ length: COUNT }, next));
  Deno.bench(`parseFieldValue() ${kind}`, { group: kind }, () => {
    parseAll(bytes, ends, parseFieldValue);
  });
  Deno.bench(`Number of a decoded string, ${kind}`, {
    group: kind,
    baseline: true,
  }, () => {
    parseAll(
      bytes,
      ends,
      (b, start, end) => Number(DECODER.decode(b.subarray(start, end))),
    );
  });
}

for (const [unit, zeros] of [["seconds", 0], ["nanoseconds", 9]] as const) {
  const [bytes, ends] = pack(
    Array.from(
      { length: COUNT },
      (_, i) => `${1725620476 + i}${"0".repeat(zeros)}`,
    ),
  );
  Deno.bench(`parseTimestampSec() ${unit}`, { group: "timestamps" }, () => {
    parseAll(bytes, ends, parseTimestampSec);
  });
}
