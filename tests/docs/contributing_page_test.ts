/** That docs/CONTRIBUTING.md has every room of src, and every folder beside it. */
import assert from "node:assert/strict";
import { textFiles } from "../support/files.ts";
import { ROOT } from "../support/server.ts";

const PAGE = await Deno.readTextFile(`${ROOT}docs/CONTRIBUTING.md`);
/** Names in the first column of its tables. */
const ROWS = new Set(
  [...PAGE.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1]!),
);

Deno.test("docs/CONTRIBUTING.md has a row for every room of src", () => {
  // A folder with files right in it is a room; folders in a room are no rooms.
  const folders = new Set(
    textFiles("src").map(({ path }) => path.split("/").slice(0, -1)).map(
      (folders) => folders.slice(0, 3).join("/"),
    ),
  );
  const missing = [...folders].filter((folder) =>
    !ROWS.has(folder) && !ROWS.has(folder.split("/").slice(0, 2).join("/"))
  );
  assert.deepEqual(missing, []);
});

Deno.test("docs/CONTRIBUTING.md has a row for every folder of the repository", () => {
  const missing = textFiles("").map(({ path }) => path.split("/"))
    .filter((parts) => parts.length > 1).map(([folder]) => folder!)
    .filter((folder) => folder !== "src" && !folder.startsWith("."))
    .filter((folder) => !ROWS.has(folder));
  assert.deepEqual([...new Set(missing)], []);
});
