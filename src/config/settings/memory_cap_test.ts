import assert from "node:assert/strict";
import { memoryCap, type SystemMemory } from "./memory_cap.ts";

const MACHINE = 100e9;
/** As the system says that there is no limit. */
const UNLIMITED = 9223372036854772000;

function on(limit: number): () => SystemMemory {
  return () => ({ machine: MACHINE, limit });
}

Deno.test("memoryCap() takes what is configured and does not look at the system", () => {
  const never = () => assert.fail("the system was looked at");
  assert.deepEqual(memoryCap(0.5, never), { bytes: 5e8 });
  assert.deepEqual(memoryCap(-1, never), { bytes: 0 });
});

Deno.test("memoryCap() is a part of the control group's limit, else of the machine", () => {
  assert.deepEqual(memoryCap(0, on(10e9)), {
    bytes: 8e9,
    origin: "80 % of the 10.0 GB of the control group",
  });
  for (const limit of [UNLIMITED, 0, MACHINE]) {
    assert.deepEqual(memoryCap(0, on(limit)), {
      bytes: 50e9,
      origin: "50 % of the 100.0 GB of the machine",
    });
  }
});

Deno.test("memoryCap() finds something on this machine", () => {
  const { bytes } = memoryCap(0);
  assert.ok(bytes > 0 && bytes <= Deno.systemMemoryInfo().total);
});
