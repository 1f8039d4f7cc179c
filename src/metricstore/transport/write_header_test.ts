import assert from "node:assert/strict";
import fc from "fast-check";
import {
  contextOf,
  headBytes,
  lineOf,
  nowSecOf,
  runsAt,
  runsOf,
  sequenceOf,
  streamOf,
  textStart,
  writeHead,
} from "./write_header.ts";

const BYTES = fc.uint8Array({ maxLength: 200 });

Deno.test("writeHead() and the readers of its fields agree, wherever the frame begins", () => {
  fc.assert(
    fc.property(
      fc.record({
        nowSec: fc.double({ noNaN: true }),
        line: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        context: BYTES,
        stream: BYTES,
        sequence: fc.maxSafeNat(),
        runs: fc.integer({ min: 0, max: 10 }),
      }),
      fc.integer({ min: 0, max: 64 }),
      (header, start) => {
        const { context, stream, runs } = header;
        const size = headBytes(context, stream, runs);
        const bytes = new Uint8Array(start + size + 16).fill(0xa5);
        const at = writeHead(bytes, start, header);
        const frame = { bytes, view: new DataView(bytes.buffer), start };
        assert.equal(nowSecOf(frame), header.nowSec);
        assert.equal(lineOf(frame), header.line);
        assert.equal(sequenceOf(frame), header.sequence);
        assert.equal(runsOf(frame), runs);
        assert.deepEqual(contextOf(frame), new Uint8Array(context));
        assert.deepEqual(streamOf(frame), new Uint8Array(stream));
        assert.equal(runsAt(frame), at);
        assert.equal(textStart(frame), start + size);
        // Nothing is written before the frame or where the runs belong.
        assert.ok(bytes.subarray(0, start).every((byte) => byte === 0xa5));
        assert.ok(bytes.subarray(at).every((byte) => byte === 0xa5));
      },
    ),
  );
});
