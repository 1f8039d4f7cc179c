import assert from "node:assert/strict";
import {
  layoutName,
  segmentName,
  shardDirectory,
} from "../persist/filenames.ts";
import { directoriesByAge } from "./store_layouts.ts";

function put(directory: string, count: number, shard: number, sec: number) {
  const path = shardDirectory(directory, count, shard);
  Deno.mkdirSync(path, { recursive: true });
  const file = `${path}/${segmentName(1)}`;
  Deno.writeFileSync(file, new Uint8Array(1));
  Deno.utimeSync(file, sec, sec);
}

Deno.test("directoriesByAge() orders the shards of all layouts by their newest file, empty ones first", async () => {
  const directory = await Deno.makeTempDir();
  try {
    put(directory, 2, 0, 1000);
    put(directory, 2, 1, 4000);
    put(directory, 3, 2, 2000);
    put(directory, 1, 0, 3000);
    const store = `${directory}/ringstore`;
    Deno.mkdirSync(`${store}/other`);
    Deno.writeTextFileSync(`${store}/${layoutName(7)}`, "");
    assert.deepEqual(
      directoriesByAge(directory).map((one) => `${one.shard}/${one.shards}`),
      ["0/3", "1/3", "0/2", "2/3", "0/1", "1/2"],
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
