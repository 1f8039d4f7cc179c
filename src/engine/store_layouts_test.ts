import assert from "node:assert/strict";
import {
  layoutName,
  segmentName,
  shardDirectory,
} from "../persist/filenames.ts";
import { layoutsByAge } from "./store_layouts.ts";

function put(directory: string, count: number, shard: number, sec: number) {
  const path = shardDirectory(directory, count, shard);
  Deno.mkdirSync(path, { recursive: true });
  const file = `${path}/${segmentName(1)}`;
  Deno.writeFileSync(file, new Uint8Array(1));
  Deno.utimeSync(file, sec, sec);
}

Deno.test("layoutsByAge() orders the directories by their newest file, empty ones first", async () => {
  const directory = await Deno.makeTempDir();
  try {
    put(directory, 2, 0, 1000);
    put(directory, 2, 1, 4000);
    put(directory, 4, 3, 2000);
    put(directory, 8, 5, 3000);
    const store = `${directory}/ringstore`;
    Deno.mkdirSync(`${store}/${layoutName(3)}`);
    Deno.mkdirSync(`${store}/${layoutName(1)}`);
    Deno.mkdirSync(`${store}/other`);
    Deno.writeTextFileSync(`${store}/${layoutName(7)}`, "");
    assert.deepEqual(layoutsByAge(directory), [1, 3, 4, 8, 2]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
