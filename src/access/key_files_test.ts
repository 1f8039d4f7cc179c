import assert from "node:assert/strict";
import { keyFileFault, type KeyReaders } from "./key_files.ts";

Deno.test("keyFileFault() refuses what others can change, and warns of what others can read", async () => {
  const path = await Deno.makeTempFile();
  const cases: [number, KeyReaders, "refuse" | "warn" | undefined][] = [
    [0o600, "nobody", undefined],
    [0o400, "nobody", undefined],
    [0o640, "nobody", "warn"],
    [0o604, "nobody", "warn"],
    [0o644, "nobody", "warn"],
    [0o620, "nobody", "refuse"],
    [0o602, "nobody", "refuse"],
    [0o666, "nobody", "refuse"],
    // The key of TLS belongs to a group of services on many systems.
    [0o640, "group", undefined],
    [0o644, "group", "warn"],
    [0o660, "group", "refuse"],
    [0o644, "everybody", undefined],
    [0o664, "everybody", "refuse"],
  ];
  try {
    for (const [mode, readers, verdict] of cases) {
      Deno.chmodSync(path, mode);
      const fault = keyFileFault(path, readers);
      const what = `${mode.toString(8)} ${readers}`;
      assert.equal(fault?.verdict, verdict, what);
      if (fault !== undefined) {
        assert.ok(fault.message.startsWith(`${path}: `), what);
        assert.ok(fault.message.includes(`mode 0${mode.toString(8)}`), what);
      }
    }
  } finally {
    await Deno.remove(path);
  }
  assert.equal(keyFileFault(path), undefined);
});
