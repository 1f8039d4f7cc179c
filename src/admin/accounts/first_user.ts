/** How the first administrator is made, as page and start tell it (web 15.2). */

const ARGUMENTS = "user add NAME --roles admin";

/** One of them is enough; each asks for a password. */
export const FIRST_USER_COMMANDS: readonly string[] = Deno.build.standalone
  ? [`ringstore ${ARGUMENTS}`]
  : [
    `deno task start ${ARGUMENTS}`,
    `npx -y deno@2.9.6 task start ${ARGUMENTS}`,
  ];
