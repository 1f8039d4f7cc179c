import assert from "node:assert/strict";
import { CellPool } from "./cell_pool.ts";

Deno.test("CellPool.open() bounds what queries hold together, not what one holds alone", () => {
  const pool = new CellPool(100);
  const first = pool.open();
  first.add(500);
  const second = pool.open();
  assert.throws(() => second.add(1), { code: "E_OVERLOAD", retryAfterSec: 1 });
  first.add(-460);
  second.add(60);
  assert.throws(() => first.add(1), { code: "E_OVERLOAD" });
  assert.equal(pool.used, 100);
  second.close();
  first.add(900);
  first.close();
  first.close();
  assert.equal(pool.used, 0);
});
