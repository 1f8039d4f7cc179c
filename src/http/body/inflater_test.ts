import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { fuzzRuns } from "../../../tests/support/fuzz_runs.ts";
import { createInflater } from "./inflater.ts";
import { ZSTD_MAX_BLOCKS, ZSTD_MAX_FRAMES } from "../limits.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What came out, and the reason if it went wrong. */
interface Outcome {
  readonly bytes: Uint8Array;
  readonly reason: string | undefined;
}

/** Inflates what comes in these pieces, waiting for room as a body does. */
async function inflate(
  coding: "gzip" | "zstd",
  pieces: readonly Uint8Array[],
): Promise<Outcome> {
  const chunks: Uint8Array[] = [];
  let results = 0;
  const outcome = Promise.withResolvers<string | undefined>();
  const settle = (reason: string | undefined) => {
    results++;
    outcome.resolve(reason);
  };
  const inflater = createInflater(coding, {
    data(chunk) {
      assert.equal(results, 0, "nothing comes after the end");
      chunks.push(chunk);
    },
    end: () => settle(undefined),
    error: (error) => settle(error.message),
  });
  const feed = async () => {
    for (const piece of pieces) {
      if (results > 0) return;
      if (!inflater.write(piece)) {
        await new Promise<void>((resolve) => {
          inflater.onDrain(resolve);
          // A broken body makes no room.
          outcome.promise.then(() => resolve());
        });
      }
    }
    if (results === 0) inflater.finish();
  };
  const [reason] = await Promise.all([outcome.promise, feed()]);
  inflater.destroy();
  assert.equal(results, 1);
  return { bytes: Buffer.concat(chunks), reason };
}

async function assertInflates(
  pieces: readonly Uint8Array[],
  wanted: Uint8Array,
): Promise<void> {
  const { bytes, reason } = await inflate("zstd", pieces);
  assert.equal(reason, undefined);
  assert.ok(Buffer.from(wanted).equals(bytes), "the bytes differ");
}

/** Line protocol of that size, which shrinks about as much as real one. */
function linesOf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    at += bytes.write(
      `cpu_load,cluster=fritz,hostname=f${state % 997} value=${
        (state >>> 8) / 1000
      } 1725620476\n`,
      at,
      "latin1",
    );
  }
  return bytes;
}

interface FrameOptions {
  readonly level?: number;
  readonly checksum?: boolean;
  readonly contentSize?: boolean;
}

function frame(content: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { level = 3, checksum = false, contentSize = true } = options;
  return zstdCompressSync(content, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
      [constants.ZSTD_c_contentSizeFlag]: contentSize ? 1 : 0,
    },
  });
}

function skippableFrame(size: number, variant = 0): Uint8Array {
  const bytes = Buffer.alloc(8 + size, 0xaa);
  bytes.writeUInt32LE(0x184d2a50 + variant, 0);
  bytes.writeUInt32LE(size, 4);
  return bytes;
}

/** A single-segment frame of one RLE block: the byte, that many times. */
function repeatedByteFrame(byte: number, count: number): Uint8Array {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32LE(0xfd2fb528, 0);
  bytes[4] = 0b1010_0000;
  bytes.writeUInt32LE(count, 5);
  bytes.writeUIntLE((count << 3) | (1 << 1) | 1, 9, 3);
  bytes[12] = byte;
  return bytes;
}

/** Cuts at the given places, each a share of the whole. */
function cutAt(bytes: Uint8Array, shares: readonly number[]): Uint8Array[] {
  const places = shares.map((share) => Math.floor(share * bytes.length));
  const bounds = [0, ...places.sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, i) => bytes.subarray(bounds[i]!, end));
}

function inPiecesOf(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, i) => bytes.subarray(i * size, (i + 1) * size),
  );
}

Deno.test("createInflater() inflates one zstd frame of any size", async () => {
  const sizes = [0, 1, 255, 256, 65_791, 65_792, 157_000];
  for (const size of [64 * KIB, 128 * KIB, MIB, 8 * MIB]) {
    sizes.push(size - 1, size, size + 1);
  }
  for (const size of sizes) {
    const content = linesOf(size);
    const whole = frame(content, { checksum: true });
    await assertInflates([whole], content);
    await assertInflates(inPiecesOf(whole, 16 * KIB), content);
  }
});

Deno.test("createInflater() inflates zstd frames cut anywhere, whatever is in them", async () => {
  const content = fc.record({
    size: fc.oneof(
      fc.integer({ min: 0, max: 2000 }),
      fc.integer({ min: 0, max: 400_000 }),
    ),
    seed: fc.integer(),
    level: fc.constantFrom(-5, 1, 3, 9),
    checksum: fc.boolean(),
    contentSize: fc.boolean(),
    skipped: fc.option(fc.integer({ min: 0, max: 3000 })),
  });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { minLength: 1, maxLength: 4 }),
      fc.array(share, { maxLength: 12 }),
      async (contents, shares) => {
        const texts = contents.map(({ size, seed }) => linesOf(size, seed));
        const whole = Buffer.concat(contents.flatMap((options, i) => [
          ...(options.skipped === null
            ? []
            : [skippableFrame(options.skipped, i)]),
          frame(texts[i]!, options),
        ]));
        await assertInflates(cutAt(whole, shares), Buffer.concat(texts));
      },
    ),
    { numRuns: fuzzRuns(150) },
  );
});

Deno.test("createInflater() inflates zstd byte by byte", async () => {
  const content = linesOf(3000);
  const whole = Buffer.concat([
    skippableFrame(5, 15),
    frame(content, { checksum: true }),
    frame(content, { contentSize: false }),
  ]);
  await assertInflates(inPiecesOf(whole, 1), Buffer.concat([content, content]));
});

Deno.test("createInflater() inflates raw and repeated zstd blocks", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(50_000));
  await assertInflates([frame(noise)], noise);
  await assertInflates(
    [repeatedByteFrame(10, 100_000), repeatedByteFrame(120, 3)],
    Buffer.concat([Buffer.alloc(100_000, 10), Buffer.alloc(3, 120)]),
  );
});

Deno.test("createInflater() refuses zstd that is cut off anywhere", async () => {
  const content = linesOf(100_000);
  for (const checksum of [true, false]) {
    const whole = frame(content, { checksum });
    const second = Buffer.concat([whole, frame(content)]);
    const skipped = Buffer.concat([whole, skippableFrame(20)]);
    const cuts: [Uint8Array, number][] = [
      ...Array.from({ length: 40 }, (_, i) => [whole, i] as const),
      ...Array.from({ length: 40 }, (_, i) => [whole, whole.length - 1 - i]),
      [whole, whole.length >> 1],
      ...Array.from({ length: 20 }, (_, i) => [second, whole.length + 1 + i]),
      [second, second.length - 1],
      ...Array.from({ length: 27 }, (_, i) => [skipped, whole.length + 1 + i]),
    ] as [Uint8Array, number][];
    for (const [bytes, length] of cuts) {
      const { reason } = await inflate("zstd", [bytes.subarray(0, length)]);
      assert.match(
        reason ?? "nothing was wrong",
        /^the body is not valid zstd: /,
        `${length} of ${bytes.length}`,
      );
    }
  }
});

Deno.test("createInflater() passes on what came before zstd was cut off", async () => {
  const content = linesOf(MIB);
  const whole = frame(content);
  const { bytes, reason } = await inflate("zstd", [
    whole.subarray(0, whole.length - 1),
  ]);
  assert.match(reason ?? "", /unexpected end/);
  assert.ok(bytes.length >= 512 * KIB);
  assert.ok(Buffer.from(content.subarray(0, bytes.length)).equals(bytes));
});

Deno.test("createInflater() refuses what is no zstd, also behind a frame", async () => {
  const whole = frame(linesOf(100_000), { checksum: true });
  const flipped = Buffer.from(whole);
  flipped[whole.length - 1]! ^= 1;
  const reserved = Buffer.from(repeatedByteFrame(1, 9));
  reserved[9]! |= 6;
  const cases: [string, Uint8Array[], RegExp][] = [
    ["text", [Buffer.from("cpu_load value=1\n")], /no frame begins/],
    ["gzip", [gzipSync("text")], /no frame begins/],
    ["text behind", [whole, Buffer.from("cpu_load value=1\n")], /no frame/],
    ["zeros behind", [Buffer.concat([whole, Buffer.alloc(8)])], /no frame/],
    ["wrong checksum", [flipped], /not valid zstd/],
    ["reserved block", [reserved], /reserved type/],
  ];
  for (const [name, pieces, wanted] of cases) {
    const { reason } = await inflate("zstd", pieces);
    assert.match(reason ?? "nothing was wrong", wanted, name);
  }
});

Deno.test("createInflater() answers any damage with an error, or the bytes there are", async () => {
  const content = linesOf(500_000);
  const bodies = [
    ["zstd", frame(content, { checksum: true })],
    ["zstd", frame(content, { checksum: true, level: -5 })],
    ["gzip", gzipSync(content)],
  ] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...bodies),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.integer({ min: 1, max: 255 }),
      fc.integer({ min: 1000, max: 200_000 }),
      async ([coding, whole], share, change, pieceSize) => {
        const damaged = Buffer.from(whole);
        damaged[Math.floor(share * damaged.length)]! ^= change;
        const { bytes, reason } = await inflate(
          coding,
          inPiecesOf(damaged, pieceSize),
        );
        // A bit of the header that nobody uses changes nothing.
        if (reason === undefined) assert.ok(content.equals(bytes));
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});

Deno.test("createInflater() refuses a zstd window above 8 MiB", async () => {
  const content = linesOf(100_000);
  const windowed = (log: number) => {
    const bytes = Buffer.from(frame(content, { contentSize: false }));
    bytes[5] = (log - 10) << 3;
    return bytes;
  };
  await assertInflates([windowed(23)], content);
  for (const log of [24, 27, 41]) {
    const { bytes, reason } = await inflate("zstd", [windowed(log)]);
    assert.match(reason ?? "nothing was wrong", /a window of \d+ bytes/);
    assert.equal(bytes.length, 0);
  }
  const segment = Buffer.from(repeatedByteFrame(1, 9));
  segment.writeUInt32LE(9 * MIB, 5);
  const { reason } = await inflate("zstd", [segment]);
  assert.match(reason ?? "nothing was wrong", /a window of 9437184 bytes/);
});

Deno.test("createInflater() refuses more zstd frames and blocks than a body needs", async () => {
  const one = frame(new Uint8Array(0));
  const frames = Buffer.concat(new Array(ZSTD_MAX_FRAMES + 1).fill(one));
  const tooMany = await inflate("zstd", [frames]);
  assert.match(tooMany.reason ?? "nothing was wrong", /more than 16384 frames/);
  // Empty raw blocks, none of them the last.
  const blocks = Buffer.concat([
    repeatedByteFrame(1, 0).subarray(0, 9),
    Buffer.alloc(3 * (ZSTD_MAX_BLOCKS + 1)),
  ]);
  const { reason } = await inflate("zstd", [blocks]);
  assert.match(reason ?? "nothing was wrong", /more than 262144 blocks/);
});

Deno.test("createInflater() holds zstd back while it is paused", async () => {
  const content = linesOf(2 * MIB);
  const ended = Promise.withResolvers<void>();
  const chunks: Uint8Array[] = [];
  let paused = false;
  const inflater = createInflater("zstd", {
    data(chunk) {
      assert.ok(!paused, "nothing comes while it is paused");
      chunks.push(chunk);
      inflater.pause();
      paused = true;
      setTimeout(() => {
        paused = false;
        inflater.resume();
      });
    },
    end: ended.resolve,
    error: ended.reject,
  });
  for (const piece of inPiecesOf(frame(content), 50_000)) inflater.write(piece);
  for (const piece of inPiecesOf(frame(content), 50_000)) inflater.write(piece);
  inflater.finish();
  await ended.promise;
  assert.ok(
    Buffer.concat([content, content]).equals(Buffer.concat(chunks)),
  );
});

Deno.test("createInflater() inflates gzip, and refuses it cut off", async () => {
  const content = linesOf(300_000);
  const whole = Buffer.concat([gzipSync(content), gzipSync(content)]);
  const { bytes, reason } = await inflate("gzip", inPiecesOf(whole, 10_000));
  assert.equal(reason, undefined);
  assert.ok(Buffer.concat([content, content]).equals(bytes));
  const cut = await inflate("gzip", [whole.subarray(0, whole.length - 1)]);
  assert.match(cut.reason ?? "", /^the body is not valid gzip: /);
});
