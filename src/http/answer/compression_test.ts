import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { accepts, Compressor } from "./compression.ts";

Deno.test("accepts() reads Accept-Encoding with weights", () => {
  assert.equal(accepts("gzip", "gzip"), true);
  assert.equal(accepts("br, GZIP;q=0.5", "gzip"), true);
  assert.equal(accepts("br, gzip;q=0.5", "gzip"), true);
  assert.equal(accepts("gzip;q=0", "gzip"), false);
  assert.equal(accepts("gzip; q=0.000, zstd", "gzip"), false);
  assert.equal(accepts("gzip; q=0.001", "gzip"), true);
  assert.equal(accepts("x-gzip-like", "gzip"), false);
  assert.equal(accepts("", "zstd"), false);
});

Deno.test("Compressor.compress() gives back the same bytes after decompression", async () => {
  const compressor = new Compressor();
  const chunks = [
    Buffer.from("a".repeat(700_000)),
    Buffer.alloc(0),
    randomBytes(300_001),
  ];
  const whole = Buffer.concat(chunks);
  const body = { chunks, byteLength: whole.byteLength };
  const gzip = await compressor.compress("gzip", body);
  assert.deepEqual(gunzipSync(Buffer.concat(gzip.chunks)), whole);
  const zstd = await compressor.compress("zstd", body);
  assert.deepEqual(zstdDecompressSync(Buffer.concat(zstd.chunks)), whole);
  assert.equal(Buffer.concat(zstd.chunks).byteLength, zstd.byteLength);
});
