import assert from "node:assert/strict";
import { IdleWatch } from "./idle_collection.ts";

const MB = 1 << 20;

/** Looks that say to collect, which is done, while so much is in use. */
function collections(watch: IdleWatch, used: readonly number[]): number[] {
  return used.flatMap((bytes, look) => {
    if (!watch.look(bytes)) return [];
    watch.collected(bytes);
    return [look];
  });
}

Deno.test("IdleWatch waits while bytes are being allocated", () => {
  const watch = new IdleWatch();
  watch.collected(20 * MB);
  assert.equal(watch.look(30 * MB), false);
  assert.equal(watch.look(40 * MB), false);
  assert.equal(watch.look(40 * MB + 1000), true);
});

Deno.test("IdleWatch collects once after a burst, not at every look", () => {
  const watch = new IdleWatch();
  watch.collected(20 * MB);
  watch.look(40 * MB);
  assert.equal(watch.look(40 * MB), true);
  watch.collected(21 * MB);
  assert.equal(watch.look(21 * MB), false);
  assert.equal(watch.look(22 * MB), false);
});

Deno.test("IdleWatch leaves alone what V8 has collected by itself", () => {
  const watch = new IdleWatch();
  watch.collected(20 * MB);
  watch.look(40 * MB);
  assert.equal(watch.look(10 * MB), false);
  assert.equal(watch.look(10 * MB), false);
  watch.look(16 * MB);
  assert.equal(watch.look(16 * MB), true);
});

Deno.test("IdleWatch.look() says so once more after a long time without work, for what was let go meanwhile", () => {
  const watch = new IdleWatch();
  watch.look(100 * MB);
  assert.equal(watch.look(100 * MB), true);
  watch.collected(90 * MB);
  const looks = collections(watch, Array(60).fill(90 * MB));
  assert.equal(looks.length, 1);
  assert.equal(looks[0]! > 10, true);
});

Deno.test("IdleWatch takes minutes between two collections of little", () => {
  const watch = new IdleWatch();
  watch.collected(20 * MB);
  // A burst every ten seconds, each leaving 10 MB that the last collection took.
  const used = Array.from(
    { length: 400 },
    (_, look) => (look % 10 < 2 ? 20 : 30) * MB,
  );
  const looks = collections(watch, used);
  assert.equal(looks.length, 3);
  assert.equal(looks[1]! - looks[0]! > 100, true);
});

Deno.test("IdleWatch gives much back at once", () => {
  const watch = new IdleWatch();
  watch.collected(20 * MB);
  watch.look(30 * MB);
  assert.equal(watch.look(30 * MB), true);
  watch.collected(20 * MB);
  watch.look(80 * MB);
  assert.equal(watch.look(80 * MB), true);
});
