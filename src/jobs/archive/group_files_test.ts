import assert from "node:assert/strict";
import { inDirectory, META, someData } from "./_archive_fixture.ts";
import { jobDirectory } from "./archive_layout.ts";
import { openJobArchive } from "./job_archive.ts";

/** Mode and group of what is at a path. */
function rightsOf(path: string): [mode: string, gid: number | null] {
  const { mode, gid } = Deno.statSync(path);
  return [(mode! & 0o7777).toString(8), gid];
}

for (
  const [rootMode, directoryMode, fileMode] of [
    [0o750, "750", "640"],
    [0o2770, "2770", "660"],
    [0o755, "750", "640"],
    [0o700, "700", "600"],
  ] as const
) {
  Deno.test(`an archive of the mode ${rootMode.toString(8)} keeps its group, and others out`, () =>
    inDirectory(async (root) => {
      const umask = Deno.umask(0o077);
      try {
        Deno.chmodSync(root, rootMode);
        // Another group than that of the process, where the tests may choose one.
        if (Deno.uid() === 0) Deno.chownSync(root, null, 12_345);
        Deno.chmodSync(root, rootMode);
        const archive = openJobArchive(root, { keepsGroup: true });
        await archive.write(META, someData(3));
        archive.editMeta(META.job, { tags: [] });
        const { gid } = Deno.statSync(root);
        const directory = jobDirectory(root, META.job);
        for (
          let path = directory;
          path !== root;
          path = path.slice(0, path.lastIndexOf("/"))
        ) assert.deepEqual(rightsOf(path), [directoryMode, gid], path);
        for (const { name } of Deno.readDirSync(directory)) {
          assert.deepEqual(
            rightsOf(`${directory}/${name}`),
            [fileMode, gid],
            name,
          );
        }
        const version = rightsOf(`${root}/version.txt`);
        assert.deepEqual(version, [fileMode, gid]);
      } finally {
        Deno.umask(umask);
      }
    }));
}

Deno.test("an archive at the default place is its owner's alone", () =>
  inDirectory(async (root) => {
    const umask = Deno.umask(0o077);
    try {
      Deno.chmodSync(root, 0o755);
      const archive = openJobArchive(root);
      await archive.write(META, someData(3));
      const directory = jobDirectory(root, META.job);
      assert.equal(rightsOf(directory)[0], "700");
      assert.equal(rightsOf(`${directory}/meta.json`)[0], "600");
    } finally {
      Deno.umask(umask);
    }
  }));
