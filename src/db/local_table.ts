/** A table of this process behind the interface of one in the database worker. */
import type { Remote } from "./remote.ts";

/** The promise rejects with the error that the method throws. */
export function localTable<Table extends object>(table: Table): Remote<Table> {
  return new Proxy(table, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return undefined;
      return (...args: unknown[]) =>
        new Promise((resolve) => resolve(method.apply(target, args)));
    },
  }) as Remote<Table>;
}
