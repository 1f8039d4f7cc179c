import assert from "node:assert/strict";
import { DENO_FILES } from "../persist/files.ts";
import { archiveName, clusterDirectory, openArchive } from "./archive_names.ts";

Deno.test("clusterDirectory() follows the documented layout", () => {
  assert.equal(clusterDirectory("/d", "", "fritz"), "/d/fritz");
  assert.equal(clusterDirectory("/d", "team-a", "fritz"), "/d/@team-a/fritz");
  assert.equal(clusterDirectory("/d", "", "größe 1.5"), "/d/größe 1.5");
});

Deno.test("clusterDirectory() stays inside and gives each name its own", () => {
  const names = [
    ...["a/b", "a%2fb", "a\\b", ".a", "@a", "a", "~", "\x00", "%", "a/../../b"],
    ...["x".repeat(201), "x".repeat(202), "ü".repeat(128), "/".repeat(256)],
  ];
  const paths = names.map((name) => clusterDirectory("/d", "", name));
  assert.equal(new Set(paths).size, names.length);
  for (const path of paths) {
    const name = path.slice("/d/".length);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(name, /[/\x00]|^[.@]/);
    assert.ok(new TextEncoder().encode(name).length <= 200, name);
  }
});

Deno.test("openArchive() finds the largest limit of all clusters and instances", () => {
  const directory = Deno.makeTempDirSync({ prefix: "ringstore-archive-" });
  try {
    const reached = () => openArchive(DENO_FILES, directory, 5000);
    assert.equal(reached(), -Infinity);
    const put = (instance: string, cluster: string, name: string) => {
      const inner = clusterDirectory(directory, instance, cluster);
      Deno.mkdirSync(inner, { recursive: true });
      Deno.writeTextFileSync(`${inner}/${name}`, "");
    };
    put("", "a", archiveName(1000));
    put("", "a", archiveName(900));
    assert.equal(reached(), 1000);
    put("team", "b", archiveName(2000));
    assert.equal(reached(), 2000);
    // Unfinished, later than now, not ours.
    put("", "a", `${archiveName(3000)}.tmp`);
    put("", "a", archiveName(6000));
    put("", "a", "0x900.parquet");
    put("", "a", "notes.txt");
    assert.equal(reached(), 2000);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("openArchive() says which directory cannot be used", () => {
  const file = Deno.makeTempFileSync({ prefix: "ringstore-archive-" });
  try {
    assert.throws(
      () => openArchive(DENO_FILES, file, 0),
      /the archive cannot be kept in .*ringstore-archive-/,
    );
  } finally {
    Deno.removeSync(file);
  }
});
