import assert from "node:assert/strict";
import { pause, pauseMs } from "./pauses.ts";

Deno.test("pauseMs() doubles up to a limit, less up to half of it by chance", () => {
  const longest = [1, 2, 3, 4, 5, 1000].map((n) =>
    pauseMs(n, 100, 900, () => 0)
  );
  assert.deepEqual(longest, [100, 200, 400, 800, 900, 900]);
  assert.equal(pauseMs(2, 100, 900, () => 1), 100);
});

Deno.test("pause() ends at once when it is aborted, before or meanwhile", async () => {
  const abort = new AbortController();
  const waiting = pause(3_600_000, abort.signal);
  abort.abort();
  await waiting;
  await pause(3_600_000, abort.signal);
});
