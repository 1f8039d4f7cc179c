import assert from "node:assert/strict";
import {
  queryOf,
  startTestEngine,
  write,
} from "../../../tests/support/engine.ts";
import { DEFAULT_SCOPE } from "../engine/data_scope.ts";
import { readEntries } from "../../jobs/data/store_entries.ts";

const STEP = 60;
/** On the grid of whole minutes. */
const MINUTE = 1_700_000_040;

/** Nulls in front of the samples of a series that begins at `first`. */
async function nullsOf(
  first: number,
  windows: readonly (readonly [from: number, to: number])[],
): Promise<number[]> {
  const engine = await startTestEngine({
    metrics: {
      defaults: { load: { frequencySec: STEP, aggregation: "avg" } },
      clusters: {},
    },
  });
  try {
    const lines = [0, 1, 2].map((i) =>
      `load,cluster=c,hostname=h value=${i} ${first + i * STEP}`
    );
    await write(engine, DEFAULT_SCOPE, lines);
    const found: number[] = [];
    for (const [from, to] of windows) {
      const [entry] = await readEntries(
        await engine.query(
          DEFAULT_SCOPE,
          queryOf({
            ...{ cluster: "c", from, to, withPadding: true },
            queries: [
              { metric: "load", host: "h", aggreg: false, resolution: 0 },
            ],
          }),
        ),
      );
      assert.equal(entry?.from, first, "the begin stays that of the sample");
      found.push(entry.data?.leadingNulls ?? -1);
    }
    return found;
  } finally {
    await engine.close();
  }
}

Deno.test("QueryAnswerer pads native data by whole steps of both times, as upstream does", async () => {
  const end = MINUTE + 3 * STEP;
  assert.deepEqual(
    await nullsOf(MINUTE, [
      [MINUTE - 1, end],
      [MINUTE - 60, end],
      [MINUTE - 61, end],
      [MINUTE - 120, end],
    ]),
    [1, 1, 2, 2],
  );
  const late = MINUTE + 59;
  assert.deepEqual(
    await nullsOf(late, [
      [late - 1, late + STEP],
      [late - 59, late + STEP],
      [late - 60, late + STEP],
      [late - 119, late + STEP],
    ]),
    [0, 0, 1, 1],
  );
});

Deno.test("QueryAnswerer pads native data by no more than the window holds", async () => {
  assert.deepEqual(
    await nullsOf(MINUTE, [[MINUTE - 1701, MINUTE - 1600], [
      MINUTE - 90,
      MINUTE + 1,
    ]]),
    [2, 2],
  );
});
