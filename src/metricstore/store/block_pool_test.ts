/**
 * The pool of blocks against a model that keeps every block's bytes, and its use
 * of memory under the churn of retention.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockPool, POOL_BLOCK_BYTES_MAX } from "./block_pool.ts";

const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 100);
const SLACK = 16;

interface Block {
  id: number;
  bytes: Uint8Array;
}

function bytesOf(pool: BlockPool, id: number, length: number): Uint8Array {
  const view = pool.view(id);
  return new Uint8Array(view.buffer, pool.offset(id), length);
}

/** Bytes that tell which block they belong to, to its very end. */
function put(pool: BlockPool, length: number, seed: number): Block {
  const id = pool.allocate(length);
  assert.notEqual(id, 0);
  const bytes = Uint8Array.from(
    { length: pool.bytes(id) },
    (_, i) => Math.imul(seed + 1, 2654435761) >>> (i % 24),
  );
  bytesOf(pool, id, bytes.length).set(bytes);
  return { id, bytes };
}

function check(pool: BlockPool, block: Block): void {
  const { id, bytes } = block;
  assert.deepEqual(bytesOf(pool, id, bytes.length), bytes);
  assert.ok(
    pool.offset(id) + bytes.length + SLACK <= pool.view(id).byteLength,
    "slack after a block lies within its slab",
  );
}

function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const length = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 160 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: POOL_BLOCK_BYTES_MAX }) },
);

Deno.test("BlockPool keeps every block's bytes when others come and go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), length, fc.nat()), {
        size: "max",
        maxLength: 3000,
      }),
      (steps) => {
        const pool = new BlockPool(SLACK);
        const blocks: Block[] = [];
        let used = 0;
        for (const [action, bytes, pick] of steps) {
          if (action > 1) {
            const block = put(pool, bytes, pick);
            assert.ok(block.bytes.length >= bytes);
            used += block.bytes.length;
            blocks.push(block);
          } else if (blocks.length > 0) {
            const index = pick % blocks.length;
            const block = blocks[index]!;
            check(pool, block);
            pool.free(block.id);
            used -= block.bytes.length;
            blocks[index] = blocks.at(-1)!;
            blocks.pop();
          }
          assert.equal(pool.used, used);
        }
        assert.equal(new Set(blocks.map(({ id }) => id)).size, blocks.length);
        for (const block of blocks) check(pool, block);
        for (const block of blocks) pool.free(block.id);
        assert.deepEqual([pool.used, pool.held], [0, 0]);
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("BlockPool.allocate() wastes at most a 32nd of a block", () => {
  const pool = new BlockPool(SLACK);
  for (let bytes = 8; bytes <= POOL_BLOCK_BYTES_MAX; bytes++) {
    const room = pool.bytes(pool.allocate(bytes));
    assert.ok(room >= bytes && room - bytes <= bytes / 32, `${bytes}: ${room}`);
    if (bytes <= 64) assert.equal(room, bytes);
  }
});

/** Sizes of one period: a mix whose middle wanders, as load does by day and night. */
function sizeOf(random: () => number, round: number): number {
  const middle = 40 + 80 * Math.abs(Math.sin(round / 3));
  return random() < 0.2
    ? 6 + Math.floor(random() * 4)
    : Math.max(1, Math.floor(middle * (0.5 + random())));
}

Deno.test("BlockPool stays within 1.15 times what it holds under retention's churn", () => {
  const pool = new BlockPool(SLACK);
  const random = randomSource(7);
  const kept: number[] = [];
  let oldest = 0;
  let usedMost = 0;
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 20_000; i++) {
      kept.push(pool.allocate(sizeOf(random, round)));
    }
    usedMost = Math.max(usedMost, pool.used);
    if (round < 9) continue;
    // The oldest tenth goes, not quite in the order in which it came.
    const batch = kept.slice(oldest, oldest + 20_000);
    oldest += batch.length;
    batch.sort((a, b) => (a & 1023) - (b & 1023));
    for (const id of batch) pool.free(id);
  }
  const ratio = pool.touched / usedMost;
  assert.ok(ratio < 1.15, `${pool.touched} bytes for ${usedMost}: ${ratio}`);
});

Deno.test("BlockPool.free() refuses a block that was never handed out", () => {
  const pool = new BlockPool(SLACK);
  const id = pool.allocate(100);
  assert.throws(() => pool.free(id + 1), /not in use/);
  assert.throws(() => pool.free(0), /not in use/);
  pool.free(id);
  assert.throws(() => pool.free(id), /not in use/);
});
