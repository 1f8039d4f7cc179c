/**
 * Becoming somebody else once the port is open. Deno grants it with a bare
 * `--allow-sys` only, and cannot change supplementary groups: where a service
 * manager can start the program as its user (`User=`), that is the better way.
 */
import process from "node:process";

/**
 * Gives up the rights of the user that started the program: first the group,
 * then the user; empty names change nothing. Throws what the system says.
 */
export function dropPrivileges(user: string, group: string): void {
  if (group !== "") change("group", group, (name) => process.setgid?.(name));
  if (user !== "") change("user", user, (name) => process.setuid?.(name));
}

function change(
  kind: string,
  name: string,
  set: (name: string) => void,
): void {
  try {
    set(name);
  } catch (cause) {
    throw new Error(`cannot become ${kind} ${name} (main.${kind})`, { cause });
  }
}
