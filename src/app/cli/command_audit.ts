/**
 * Changes that commands make straight in the database: lines of `main.audit-log`, as
 * those of the server. A server that runs beside them notes what has changed, too
 * (`outside_changes.ts`): it knows what, not by which command and user.
 */
import { AuditTrail } from "../../base/audit_trail.ts";
import type { Config } from "../../config/settings/mod.ts";
import { printError } from "./output.ts";

/** What a command did, by whom of this machine; nothing where no file is configured. */
export function auditCommand(
  { main }: Pick<Config, "main">,
  what: string,
  object: string,
): void {
  const file = main["audit-log"];
  if (file === "") return;
  const trail = new AuditTrail({
    log: {
      audit() {},
      err: (message, fields) =>
        printError(`${message}: ${fields?.["file"]}: ${fields?.["error"]}`),
    },
    file,
  });
  const who = `uid ${Deno.uid()}`;
  trail.change({ what, who, from: "command line", object, outcome: "done" });
  trail.close();
}
