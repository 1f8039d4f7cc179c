/**
 * Writes docs/configuration.md from the schema:
 * `deno run --allow-read --allow-write=docs src/config/settings/document.ts`.
 * A test fails while the file differs from what the schema says.
 */
import { describeConfig, type KeyDoc } from "./describe.ts";

export const DOCUMENT = new URL(
  "../../../docs/configuration.md",
  import.meta.url,
);

const INTRODUCTION = `# Configuration

<!-- Generated from the schema: \`deno task docs\`. -->

\`config.json\` (\`-config FILE\`) is JSON; comments and trailing commas are
allowed. An unknown, mistyped or impossible key stops the start with the place
and what was expected. A section may live in a file of its own:
\`"metrics-file": "metrics.json"\` instead of \`"metrics": {…}\`. Paths are relative
to the working directory.

Durations are written as in Go: \`48h\`, \`1h30m\`, \`90s\`, \`250ms\`; there is no unit
for days. Sizes are integers (bytes) or text with a unit: \`"64MiB"\`, \`"1.5GB"\`.

Keys come from three places: \`main.jwt-public-key\`, the environment
(\`JWT_PUBLIC_KEY\`, \`JWT_PRIVATE_KEY\`) and \`./var/keys\`, in this order. Where
there is none, a pair is made in \`./var/keys\` at the first start.
`;

/** The whole document. */
export function documentConfig(): string {
  const sections = [...describeConfig().keys].map(([name, section]) =>
    `\n## \`${name}\`\n\n${section.description}${
      section.required ? " Required." : ""
    }\n${table(section)}`
  );
  return INTRODUCTION + sections.join("");
}

/** A Markdown table as `deno fmt` would lay it out. */
function table(section: KeyDoc): string {
  const rows = rowsOf(section, "");
  if (rows.length === 0) return "";
  const all = [["key", "expected", "default", "meaning"], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    all.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0)
  );
  const lines = all.map((row) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return ["", lines[0], rule, ...lines.slice(1), ""].join("\n");
}

/** The rows of everything below a place that is neither object nor list itself. */
function rowsOf(place: KeyDoc, prefix: string): string[][] {
  const inside = [...place.keys];
  if (place.members !== undefined) {
    inside.push([place.isList ? "[]" : "<name>", place.members]);
  }
  return inside.flatMap(([key, value]) => {
    const path = key === "[]"
      ? `${prefix}[]`
      : prefix === ""
      ? key
      : `${prefix}.${key}`;
    const below = rowsOf(value, path);
    return hasKeysBelow(value) ? below : [row(path, value)];
  });
}

function hasKeysBelow(place: KeyDoc): boolean {
  return place.keys.size > 0 ||
    (place.members !== undefined && hasKeysBelow(place.members));
}

function row(path: string, key: KeyDoc): string[] {
  const standard = key.defaultValue === undefined
    ? ""
    : `\`${JSON.stringify(key.defaultValue)}\``;
  return [
    `\`${path}\``,
    key.expected,
    key.required ? "required" : standard,
    key.description,
  ].map((cell) => cell.replaceAll("|", "\\|"));
}

if (import.meta.main) Deno.writeTextFileSync(DOCUMENT, documentConfig());
