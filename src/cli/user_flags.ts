/** The flags of `ringstore user add|del|list`, and of upstream's flags for the same. */
import { type FlagSpecs, type ParsedFlags, UsageError } from "./flags.ts";

export const USER_FLAGS: FlagSpecs = {
  roles: { value: "LIST", help: "joined by commas (default user)" },
  projects: { value: "LIST", help: "that a manager manages" },
  "full-name": { value: "TEXT", help: "name as people write it" },
  email: { value: "TEXT", help: "address" },
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
  | { readonly command: "user-del"; readonly username: string }
  | { readonly command: "user-list" };

/** Throws a {@linkcode UsageError}. */
export function readUser({ values, rest }: ParsedFlags): UserLine {
  const [action = "", username = ""] = rest;
  if (action === "list" && username === "") return { command: "user-list" };
  if (action !== "add" && action !== "del") {
    throw new UsageError("user needs one of: add NAME, del NAME, list");
  }
  if (username === "") throw new UsageError(`user ${action} needs a NAME`);
  if (action === "del") return { command: "user-del", username };
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
