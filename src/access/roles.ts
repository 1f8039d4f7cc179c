/** The roles of users, and which of them the words of a token mean. */

/** In ascending order, as the job API numbers them; `api` is not a rank. */
export const ROLES = ["api", "user", "manager", "support", "admin"] as const;
export type Role = typeof ROLES[number];

export function isRole(word: string): word is Role {
  return ROLES.some((role) => role === word);
}

/**
 * The words of a `roles` claim without doubles: `ROLE_ADMIN` means `admin`; what
 * is no text is passed over, what is no role stays as it is (the job API counts
 * roles, so an unknown one is not nothing).
 */
export function roleWords(words: unknown): string[] {
  if (!Array.isArray(words)) return [];
  const texts = words.filter((word): word is string =>
    typeof word === "string"
  );
  return [
    ...new Set(
      texts.map((word) =>
        word.startsWith("ROLE_") ? word.slice(5).toLowerCase() : word
      ),
    ),
  ];
}

/**
 * What two grants have in common, such as the words of a token and the roles of its
 * user today; never worth more than either. Fewer roles can be more: `api` alone
 * means a program, which sees and writes everything, beside `user` a person with
 * scripts. So where only `api` is left, what stood beside it stays, unless that was
 * `admin`, whose grant has a program's rights in it.
 */
export function sharedRoles(
  first: readonly string[],
  second: readonly string[],
): string[] {
  const shared = first.filter((word) => second.includes(word));
  if (shared.length !== 1 || shared[0] !== "api") return shared;
  const beside = [first, second].filter((words) => !words.includes("admin"))
    .flatMap((words) => words.filter((word) => word !== "api"));
  return [...new Set([...shared, ...beside])];
}
