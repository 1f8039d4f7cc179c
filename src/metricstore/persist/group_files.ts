/**
 * Files of an archive that others read too (backups, other programs): files made below
 * a directory get its group, and for that group its rights. Others get none. Where the
 * directory grants its group nothing, files are their owner's alone.
 */
import { isThere, parentOf } from "../../base/paths.ts";
import { DENO_FILES, type Files } from "./files.ts";

const OWNER_FILE = 0o600;
const OWNER_DIRECTORY = 0o700;
const GROUP_READ_WRITE = 0o060;
/** With the bit by which what is made below inherits the group. */
const GROUP_DIRECTORY = 0o2070;

/** `root` exists when the first file is made. */
export function groupFiles(root: string, files: Files = DENO_FILES): Files {
  let known: { gid: number | null; mode: number } | undefined;
  const group = () => {
    if (known === undefined) {
      const { gid, mode } = Deno.statSync(root);
      known = { gid, mode: mode ?? 0 };
    }
    return known;
  };
  const give = (path: string, mode: number) => {
    const { gid } = group();
    if (gid !== null && Deno.statSync(path).gid !== gid) {
      Deno.chownSync(path, null, gid);
    }
    // Behind it: a change of the group may take bits away.
    Deno.chmodSync(path, mode);
  };
  return {
    ...files,
    create(path) {
      const file = files.create(path);
      try {
        give(path, OWNER_FILE | (group().mode & GROUP_READ_WRITE));
      } catch (error) {
        file.close();
        throw error;
      }
      return file;
    },
    makeDirectory(directory) {
      const missing: string[] = [];
      for (let path = directory; !isThere(path); path = parentOf(path)) {
        missing.push(path);
      }
      files.makeDirectory(directory);
      for (const path of missing.reverse()) {
        give(path, OWNER_DIRECTORY | (group().mode & GROUP_DIRECTORY));
      }
    },
  };
}
