/** Visibility and change of tags by scope and role (job-api 7.2). Main thread. */
import type { Principal } from "../../access/mod.ts";
import type { TagKey } from "../../db/job_row.ts";

type Reader = Pick<Principal, "has" | "ownTagScope">;

/** Returns whether the reader sees tags of a scope: `global`, `admin` or a username. */
export function mayReadTag(reader: Reader, scope: string): boolean {
  if (scope === "global") return true;
  if (scope === "admin") return reader.has("admin") || reader.has("support");
  return isOwn(reader, scope);
}

/** Returns whether the writer may set and remove tags of a scope. */
export function mayWriteTag(
  writer: Reader & Pick<Principal, "writesSharedTags">,
  scope: string,
): boolean {
  if (scope === "global") {
    return writer.has("admin") || writer.has("support") ||
      writer.writesSharedTags;
  }
  if (scope === "admin") return writer.has("admin") || writer.writesSharedTags;
  return isOwn(writer, scope);
}

/** The tags that may be seen, in their order. */
export function visibleTags<Tag extends TagKey>(
  reader: Reader,
  tags: readonly Tag[],
): Tag[] {
  return tags.filter((tag) => mayReadTag(reader, tag.scope));
}

/** A private tag belongs to the user whose name is its scope. */
function isOwn(reader: Reader, scope: string): boolean {
  return scope !== "" && scope === reader.ownTagScope;
}
