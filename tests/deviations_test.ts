/** docs/deviations.md has every recorded exchange that we answer differently, and why. */
import assert from "node:assert/strict";
import { DEVIATIONS } from "./jobs/golden_deviations.ts";
import { ROOT } from "./support/server.ts";

const GOLDEN = `${ROOT}tests/testdata/golden`;
/** A page of the contract and a number on it; `references_test.ts` follows them. */
const NUMBERED = /\b(metric-store|job-api|admin-api|web|settled) [MOR]?\d/;

/** `file step` of the exchanges with the metric store that have an `ours`. */
async function ofTheStore(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(GOLDEN)) {
    if (!isFile || !name.endsWith(".json")) continue;
    const { steps = [] } = JSON.parse(
      await Deno.readTextFile(`${GOLDEN}/${name}`),
    ) as { steps?: { ours?: unknown }[] };
    for (const [step, { ours }] of steps.entries()) {
      if (ours !== undefined) found.push(`${name.slice(0, -5)} ${step}`);
    }
  }
  return found;
}

Deno.test("every deviation of the job API names its decision", () => {
  const reasons = Object.values(DEVIATIONS).flatMap((steps) =>
    Object.values(steps).map(({ reason }) => reason)
  ).filter((reason) => !NUMBERED.test(reason));
  assert.deepEqual(reasons, []);
});

Deno.test("docs/deviations.md has every recorded exchange that is answered differently, with its decision", async () => {
  const page = await Deno.readTextFile(`${ROOT}docs/deviations.md`);
  const listed: string[] = [];
  const unnumbered: string[] = [];
  const rows = page.matchAll(/^\| ([a-z-]+) +\| ([\d, ]+?) +\| (.*) \|$/gm);
  for (const [row, file, steps, why] of rows) {
    if (!NUMBERED.test(why!)) unnumbered.push(row);
    for (const step of steps!.split(", ")) listed.push(`${file} ${step}`);
  }
  assert.deepEqual(unnumbered, []);
  const ofJobs = Object.entries(DEVIATIONS).flatMap(([file, steps]) =>
    Object.keys(steps).map((step) => `${file} ${step}`)
  );
  const all = [...await ofTheStore(), ...ofJobs];
  assert.deepEqual([...new Set(listed)].sort(), [...new Set(all)].sort());
});
