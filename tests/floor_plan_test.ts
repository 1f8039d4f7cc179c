/**
 * The floor plan: which room may import which. A room imports lower rooms only,
 * types too (settled 45). The list is the diagram of docs/ARCHITECTURE.md.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { type TextFile, textFiles } from "./support/files.ts";

/** From the ground up; rooms of one level do not know each other. */
const LEVELS: readonly (readonly string[])[] = [
  ["base", "web/build", "web/shared"],
  ["metricstore/persist", "prometheus/language", "web/client"],
  ["metricstore/engine"],
  ["metricstore/store", "metricstore/transport"],
  ["metricstore/catalog", "metricstore/parquet"],
  ["metricstore/ingest", "metricstore/query"],
  ["config/settings", "prometheus/evaluate"],
  ["config/clusters", "metricstore/shard", "prometheus/worker"],
  ["db", "metricstore/coordinator", "nats"],
  ["access"],
  ["http"],
  ["jobs/data"],
  [
    "admin/accounts",
    "admin/tenants",
    "app/transfer",
    "jobs/archive",
    "prometheus/api",
  ],
  ["app/cli", "jobs/lifecycle"],
  ["jobs/api"],
  ["web/server"],
  ["app/routes"],
  ["app/demo", "app/server"],
];

/** Folders that are one room, without rooms inside. */
const ONE_ROOM = new Set(["access", "base", "db", "http", "nats"]);

const LEVEL_OF = new Map(
  LEVELS.flatMap((rooms, level) => rooms.map((room) => [room, level + 1])),
);

/** Below src, without tests and what only tests use. */
const FILES = textFiles("src").filter((file) =>
  /\.tsx?$/.test(file.path) && !/_test\.tsx?$/.test(file.path) &&
  !/\/_[^/]*fixture\.ts$/.test(file.path)
);

function roomOf(path: string): string {
  const [, first = "", second = ""] = path.split("/");
  return ONE_ROOM.has(first) ? first : `${first}/${second}`;
}

/** Files of src that a file names: imports, `import()`, and workers or assets by URL. */
function targetsOf(file: TextFile): string[] {
  const named = file.text.matchAll(
    /(?:^(?:import|export)\s[^"';=]*?\sfrom\s+|^import\s+|\bimport\(\s*|\bnew URL\(\s*)"(\.[^"]+)"/gm,
  );
  return [...named].map(([, specifier]) => join(dirname(file.path), specifier!))
    .filter((path) => path.startsWith("src/"));
}

Deno.test("docs/ARCHITECTURE.md has the floor plan as it is", () => {
  const page =
    textFiles("docs").find((file) => file.path === "docs/ARCHITECTURE.md")
      ?.text ?? "";
  const rows = [...page.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)]
    .map(([, level, rooms]) => [Number(level), rooms!.replaceAll("`", "")]);
  assert.deepEqual(
    rows,
    LEVELS.map((rooms, i) => [i + 1, rooms.join(", ")]),
  );
  const there = new Set(FILES.map((file) => roomOf(file.path)));
  assert.deepEqual([...LEVEL_OF.keys()].filter((room) => !there.has(room)), []);
});

Deno.test("every file below src lies in a room of the floor plan", () => {
  const homeless = FILES.map((file) => file.path)
    .filter((path) => !LEVEL_OF.has(roomOf(path)));
  assert.deepEqual(homeless, []);
});

Deno.test("a room imports only lower rooms, types too", () => {
  const up = new Map<string, string>();
  for (const file of FILES) {
    const from = roomOf(file.path);
    for (const target of targetsOf(file)) {
      const to = roomOf(target);
      if (to === from) continue;
      if (LEVEL_OF.get(to)! < LEVEL_OF.get(from)!) continue;
      up.set(`${from} -> ${to}`, `${file.path} imports ${target}`);
    }
  }
  assert.deepEqual([...up], []);
});
