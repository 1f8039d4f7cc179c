import assert from "node:assert/strict";
import { IdleWatch } from "./idle_collection.ts";

const MB = 1 << 20;

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
  const looks = Array.from({ length: 60 }, () => {
    const collects = watch.look(90 * MB);
    if (collects) watch.collected(90 * MB);
    return collects;
  });
  assert.equal(looks.indexOf(true) > 10, true);
  assert.equal(looks.filter((collects) => collects).length, 1);
});
