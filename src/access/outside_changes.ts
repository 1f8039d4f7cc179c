/**
 * Changes of another process, such as a command, in the database, in the words of
 * the audit. Main thread.
 */
import type { AccessRecords } from "./access_records.ts";

/** Changes of one reading that have a line each; the rest is counted. */
const LINES_MAX = 50;

/**
 * Returns a text for each record that is new, other, or gone, with the rights that it
 * gives; at most `LINES_MAX` and one for the rest. A record that did not change is the
 * same object in both.
 */
export function outsideChanges(
  before: AccessRecords,
  after: AccessRecords,
): string[] {
  const texts = [
    ...compare(
      "user",
      before.users.filter(({ isGone }) => isGone !== true),
      after.users.filter(({ isGone }) => isGone !== true),
      ({ username }) => username,
      ({ roles, projects }) => ({ roles, projects }),
    ),
    ...compare("instance", before.instances, after.instances, nameOf, (one) => {
      const { cluster, active, maxSeries, ingestionRate } = one;
      return { cluster, active, maxSeries, ingestionRate };
    }),
    ...compare(
      "access policy",
      before.policies,
      after.policies,
      nameOf,
      (one) => {
        const { active, scopes, realms } = one;
        return { active, scopes, realms };
      },
    ),
    ...compare("token", before.tokens, after.tokens, nameOf, (one) => {
      const { active, policy } = one;
      return { active, policy };
    }),
  ];
  const more = texts.length - LINES_MAX;
  return more > 0 ? [...texts.slice(0, LINES_MAX), `${more} others`] : texts;
}

function compare<Record>(
  what: string,
  before: readonly Record[],
  after: readonly Record[],
  nameOf: (record: Record) => string,
  rightsOf: (record: Record) => object,
): string[] {
  const gone = new Map(before.map((record) => [nameOf(record), record]));
  const texts: string[] = [];
  for (const record of after) {
    const name = nameOf(record);
    const old = gone.get(name);
    gone.delete(name);
    if (old === record) continue;
    const rights = JSON.stringify(rightsOf(record));
    texts.push(
      `${what} ${name}${old === undefined ? " is new" : ""} ${rights}`,
    );
  }
  for (const name of gone.keys()) texts.push(`${what} ${name} is gone`);
  return texts;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
