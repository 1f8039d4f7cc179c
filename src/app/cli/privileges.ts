/**
 * Becoming somebody else once the port is open. Deno grants it with a bare
 * `--allow-sys` only, and cannot change supplementary groups: where a service
 * manager can start the program as its user (`User=`), that is the better way.
 *
 * Threads load their modules, which only the first user may be able to read, so
 * directories of log and archive are made before; they are handed over then.
 */
import { lchownSync } from "node:fs";
import process from "node:process";

const ROOT_ID = 0;

export interface OtherUser {
  /** Names or numbers; `""`: no change. */
  readonly user: string;
  readonly group: string;
}

/**
 * Gives up the rights of the user that started the program: first what root made
 * below `paths` goes to the other user, and those of `directories` themselves that
 * only root could enter, then the group changes, then the user. Throws what the
 * system says.
 */
export function dropPrivileges(
  { user, group }: OtherUser,
  paths: readonly string[],
  directories: readonly string[],
): void {
  if (Deno.uid() === ROOT_ID && user !== "") {
    const ids = idsOf({ user, group });
    for (const path of paths) handOver(path, ids);
    for (const path of directories) openTo(path, ids);
  }
  if (group !== "") change("group", group, (name) => process.setgid?.(name));
  if (user !== "") change("user", user, (name) => process.setuid?.(name));
}

function change(
  kind: string,
  name: string,
  set: (name: string | number) => void,
): void {
  try {
    set(isNumber(name) ? Number(name) : name);
  } catch (cause) {
    throw new Error(`cannot become ${kind} ${name} (main.${kind})`, { cause });
  }
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

function idsOf({ user, group }: OtherUser): Ids {
  const [uid, ownGid] = numbersOf(user, "/etc/passwd", "main.user");
  return {
    uid: uid!,
    gid: group === ""
      ? ownGid ?? Deno.gid() ?? ROOT_ID
      : numbersOf(group, "/etc/group", "main.group")[0]!,
  };
}

/** The numbers behind a name in a file of accounts. */
function numbersOf(name: string, file: string, key: string): number[] {
  if (isNumber(name)) return [Number(name)];
  for (const line of Deno.readTextFileSync(file).split("\n")) {
    const [known, , id, group] = line.split(":");
    if (known !== name) continue;
    return [id, group].flatMap((text) =>
      text !== undefined && isNumber(text) ? [Number(text)] : []
    );
  }
  throw new Error(`${key}: ${name} is not in ${file}; give its number`);
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

/** Only what is root's, and never what a link points to: others may write there. */
function handOver(path: string, ids: Ids): void {
  const found = lstat(path);
  if (found === undefined || found.isSymlink) return;
  if (found.uid === ROOT_ID) lchownSync(path, ids.uid, ids.gid);
  if (!found.isDirectory) return;
  for (const { name } of Deno.readDirSync(path)) {
    handOver(`${path}/${name}`, ids);
  }
}

/** A directory that is root's alone, and so of no use to others, goes to the user. */
function openTo(path: string, ids: Ids): void {
  const found = lstat(path);
  if (found === undefined || !found.isDirectory) return;
  if (found.uid !== ROOT_ID || ((found.mode ?? 0) & 0o077) !== 0) return;
  lchownSync(path, ids.uid, ids.gid);
}

/** `undefined`: it is not there, or not any more. */
function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
