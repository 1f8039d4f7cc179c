/**
 * Names of levels, taken apart again. The store joins type and id to one name (`socket`
 * and `0` are `socket0`), checkpoints and dumps hold only that; lines and Parquet rows
 * need the two. The joined name is the same for every cut. Pure.
 */

/** Types whose names are followed by an id. */
export const LEVEL_TYPES: readonly string[] = [
  "socket",
  "die",
  "memoryDomain",
  "llc",
  "core",
  "hwthread",
  "cpu",
  "accelerator",
];

/** A level's name in two; either part may be empty, not both. */
export interface LevelName {
  readonly type: string;
  readonly id: string;
}

/**
 * Cuts a name behind the longest of `types` that it begins with; a name that
 * begins with none of them is a type without id.
 */
export function splitLevelName(
  name: string,
  types: readonly string[] = LEVEL_TYPES,
): LevelName {
  let type = name;
  for (const known of types) {
    if (known === "" || !name.startsWith(known)) continue;
    if (type === name || known.length > type.length) type = known;
  }
  return { type, id: name.slice(type.length) };
}

/**
 * The tags of a line that lead to the level: `type` or `stype` with its id. The
 * type `node` adds no level, so a level of that name is given by its id alone.
 */
export function levelTags(
  name: string,
  tag: "type" | "stype",
  types: readonly string[],
): (readonly [string, string])[] {
  const { type, id } = splitLevelName(name, types);
  if (type === "node") return [[`${tag}-id`, name]];
  return id === "" ? [[tag, type]] : [[tag, type], [`${tag}-id`, id]];
}
