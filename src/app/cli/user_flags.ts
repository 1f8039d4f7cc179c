/** The words and flags of `ringstore user`, and of upstream's flags for the same. */
import { ROLES } from "../../access/roles.ts";
import { type FlagSpecs, type ParsedFlags, UsageError } from "./flags.ts";

export const USER_FLAGS: FlagSpecs = {
  roles: {
    value: "LIST",
    help: `of add: of ${ROLES.join(", ")}, joined by commas (default user)`,
  },
  projects: { value: "LIST", help: "of add and roles: what a manager manages" },
  "full-name": { value: "TEXT", help: "of add: name as people write it" },
  email: { value: "TEXT", help: "of add: address" },
};

/** What follows `user`, with what it does. */
export const USER_ACTIONS = [
  { words: "add NAME", help: "make a user; the password comes by the input" },
  { words: "del NAME", help: "take a user away, with all sessions" },
  {
    words: "password NAME",
    help: "set a new password, read from the input; sessions end",
  },
  {
    words: "roles NAME LIST",
    help: "set the roles, joined by commas, whatever they were",
  },
  { words: "list", help: "name, roles and projects of everybody" },
] as const;

/** Flags that mean something to an action. */
const FLAGS_OF_ACTION: Readonly<Record<string, readonly string[]>> = {
  add: Object.keys(USER_FLAGS),
  roles: ["projects"],
};

/** What is done with users. */
export type UserLine =
  | {
    readonly command: "user-add";
    readonly username: string;
    readonly roles: readonly string[];
    readonly projects: readonly string[];
    readonly name: string;
    readonly email: string;
    /** `undefined`: the first line of the input. */
    readonly password: string | undefined;
  }
  | {
    readonly command: "user-password";
    readonly username: string;
  }
  | {
    readonly command: "user-roles";
    readonly username: string;
    readonly roles: readonly string[];
    /** `undefined`: those of before. */
    readonly projects: readonly string[] | undefined;
  }
  | { readonly command: "user-del"; readonly username: string }
  | { readonly command: "user-list" };

/** Throws a {@linkcode UsageError}. */
export function readUser({ values, rest }: ParsedFlags): UserLine {
  const [action = "", username = "", list] = rest;
  const known = USER_ACTIONS.find(({ words }) =>
    words.split(" ")[0] === action
  );
  if (known === undefined) {
    throw new UsageError(
      `user needs one of: ${USER_ACTIONS.map(({ words }) => words).join(", ")}`,
    );
  }
  const wanted = known.words.split(" ").length;
  if (rest.length > wanted) {
    throw new UsageError(`unexpected word: ${rest[wanted]}`);
  }
  if (rest.length < wanted || (wanted > 1 && username === "")) {
    throw new UsageError(
      `user ${action} needs ${known.words.slice(action.length + 1)}`,
    );
  }
  for (const flag of Object.keys(USER_FLAGS)) {
    if (!values.has(flag) || FLAGS_OF_ACTION[action]?.includes(flag)) continue;
    throw new UsageError(`--${flag} does not go with user ${action}`);
  }
  const projects = values.get("projects");
  switch (known.words) {
    case "list":
      return { command: "user-list" };
    case "del NAME":
      return { command: "user-del", username };
    case "password NAME":
      return { command: "user-password", username };
    case "roles NAME LIST":
      return {
        command: "user-roles",
        username,
        roles: words(list ?? ""),
        projects: projects === undefined ? undefined : words(projects),
      };
    case "add NAME":
      return readNewUser(username, values);
  }
}

function readNewUser(
  username: string,
  values: ReadonlyMap<string, string>,
): UserLine {
  return {
    command: "user-add",
    username,
    roles: words(values.get("roles") ?? "user"),
    projects: words(values.get("projects") ?? ""),
    name: values.get("full-name") ?? "",
    email: values.get("email") ?? "",
    password: undefined,
  };
}

/** `NAME:ROLE,ROLE:PASSWORD`, as upstream's flag has it. */
export function readAddUser(text: string): UserLine {
  const match = /^([^:]+):([^:]*):(.*)$/s.exec(text);
  if (match === null) {
    throw new UsageError("-add-user is NAME:ROLE,ROLE:PASSWORD");
  }
  const [, username = "", roles = "", password = ""] = match;
  return {
    command: "user-add",
    username,
    roles: words(roles),
    projects: [],
    name: "",
    email: "",
    password,
  };
}

function words(text: string): string[] {
  return text.split(",").map((word) => word.trim()).filter(Boolean);
}
