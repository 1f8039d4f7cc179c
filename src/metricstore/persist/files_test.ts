import assert from "node:assert/strict";
import { AtomicFile } from "./atomic_file.ts";
import { DENO_FILES } from "./files.ts";
import { copyToQuarantine } from "./quarantine.ts";
import { makeShardDirectory } from "./shard_directory.ts";

function withDirectory(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("DENO_FILES.create() empties a file and appends, also behind a cut", () => {
  withDirectory((directory) => {
    const path = `${directory}/a`;
    Deno.writeTextFileSync(path, "old");
    const file = DENO_FILES.create(path);
    assert.equal(file.write(new TextEncoder().encode("0123456789")), 10);
    file.truncate(4);
    file.write(new TextEncoder().encode("ab"));
    file.sync();
    assert.equal(file.size(), 6);
    file.close();
    assert.equal(Deno.readTextFileSync(path), "0123ab");
  });
});

Deno.test("DENO_FILES.openToRead() reads at any offset and can be synced", () => {
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/a`, "0123456789");
    const file = DENO_FILES.openToRead(`${directory}/a`);
    const target = new Uint8Array(4);
    for (const [offset, expected] of [[6, "6789"], [0, "0123"]] as const) {
      assert.equal(file.read(target, offset), 4);
      assert.equal(new TextDecoder().decode(target), expected);
    }
    assert.equal(file.read(target, 8), 2);
    assert.equal(file.read(target, 99), 0);
    file.sync();
    file.close();
  });
});

Deno.test("DENO_FILES.list() gives plain files, sorted, and none of a missing directory", () => {
  withDirectory((directory) => {
    for (const name of ["b", "a", "c"]) {
      Deno.writeTextFileSync(`${directory}/${name}`, "");
    }
    Deno.mkdirSync(`${directory}/d`);
    assert.deepEqual(DENO_FILES.list(directory), ["a", "b", "c"]);
    assert.deepEqual(DENO_FILES.list(`${directory}/none`), []);
  });
});

Deno.test("AtomicFile has its name only when it is published", () => {
  withDirectory((directory) => {
    const file = new AtomicFile(DENO_FILES, directory, "state");
    file.write(Uint8Array.of(1, 2));
    assert.deepEqual(DENO_FILES.list(directory), ["state.tmp"]);
    file.publish();
    assert.deepEqual(DENO_FILES.list(directory), ["state"]);
    new AtomicFile(DENO_FILES, directory, "state").abort();
    assert.deepEqual(Deno.readFileSync(`${directory}/state`).length, 2);
    assert.deepEqual(DENO_FILES.list(directory), ["state"]);
  });
});

Deno.test("copyToQuarantine() copies a file once", () => {
  withDirectory((root) => {
    const directory = makeShardDirectory(DENO_FILES, root, 2, 1);
    assert.equal(directory, `${root}/ringstore/shards-2/1`);
    const bytes = Uint8Array.from({ length: 1_100_000 }, (_, i) => i % 251);
    Deno.writeFileSync(`${directory}/wal.0000000001`, bytes);
    const copy = () =>
      copyToQuarantine(DENO_FILES, directory, "wal.0000000001");
    assert.equal(copy(), true);
    assert.equal(copy(), false);
    const path = `${directory}/quarantine/wal.0000000001`;
    assert.deepEqual(Deno.readFileSync(path), bytes);
    assert.deepEqual(DENO_FILES.list(directory), ["wal.0000000001"]);
  });
});
