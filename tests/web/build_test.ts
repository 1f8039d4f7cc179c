/** `deno task web` on copies of what it needs: what it writes, and where it cannot. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { cp } from "node:fs/promises";
import { ROOT, workDirectory } from "../support/server.ts";
import {
  manifestSchema,
  type WebManifest,
} from "../../src/web/build/manifest.ts";

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** A checkout with the sources of the pages alone. */
async function checkout(): Promise<string> {
  const root = await Deno.makeTempDir({ dir: workDirectory() });
  for (const path of ["deno.json", "deno.lock", "src/web"]) {
    await cp(`${ROOT}${path}`, `${root}/${path}`, { recursive: true });
  }
  return root;
}

async function build(root: string, env = {}): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "web"],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function manifestOf(root: string): Promise<WebManifest> {
  const text = await Deno.readTextFile(`${root}/dist/web/manifest.json`);
  return manifestSchema.parse(JSON.parse(text));
}

Deno.test("the pages are built, silently, the same each time, and only when something changed", async () => {
  const [one, two] = [await checkout(), await checkout()];
  assert.deepEqual(await build(one), { code: 0, output: "" });
  assert.deepEqual(await build(two), { code: 0, output: "" });
  const manifest = await manifestOf(one);
  assert.deepEqual(await manifestOf(two), manifest);
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const file = await Deno.readFile(`${one}/dist/web/${name}`);
    assert.equal(file.length, bytes);
    const packed = await Deno.readFile(`${one}/dist/web/${name}.gz`);
    assert.deepEqual(new Uint8Array(gunzipSync(packed)), file);
    assert.ok((await Deno.stat(`${one}/dist/web/${name}.br`)).isFile);
  }
  assert.ok(manifest.script in manifest.files);
  assert.ok(manifest.style in manifest.files);

  const before = await Deno.stat(`${one}/dist/web/manifest.json`);
  assert.deepEqual(await build(one), { code: 0, output: "" });
  const after = await Deno.stat(`${one}/dist/web/manifest.json`);
  assert.deepEqual(after.ino, before.ino);

  const style = `${one}/src/web/client/styles/style.css`;
  await Deno.writeTextFile(style, "body { color: red }", { append: true });
  assert.deepEqual(await build(one), { code: 0, output: "" });
  const changed = await manifestOf(one);
  assert.notEqual(changed.style, manifest.style);
  assert.equal(changed.script, manifest.script);
  const left = [...Deno.readDirSync(`${one}/dist`)].map(({ name }) => name);
  assert.deepEqual(left, ["web"]);
});

Deno.test("where dist cannot be written one line says so, and the start goes on", async () => {
  const root = await checkout();
  // A file in the way stops root too, whom read-only folders do not.
  await Deno.writeTextFile(`${root}/dist`, "");
  const { code, output } = await build(root);
  assert.equal(code, 0, output);
  assert.match(output, /^web: the pages are not built: .+\n$/);
});

Deno.test("without network at the first start one line says so, and the start goes on", async () => {
  const root = await checkout();
  const { code, output } = await build(root, {
    DENO_DIR: await cacheWithoutBundler(),
    // Nobody listens there.
    HTTPS_PROXY: "http://127.0.0.1:9",
  });
  assert.equal(code, 0, output);
  assert.match(output, /^web: the pages are not built: .+\n$/m);
});

/** Deno's cache with all packages, but not the program that bundles. */
async function cacheWithoutBundler(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  const cache = await Deno.makeTempDir({ dir: workDirectory() });
  for (const { name: host } of Deno.readDirSync(`${denoDir}/npm`)) {
    const [from, to] = [`${denoDir}/npm/${host}`, `${cache}/npm/${host}`];
    await Deno.mkdir(to, { recursive: true });
    for (const { name } of Deno.readDirSync(from)) {
      if (name === "@esbuild") continue;
      await Deno.symlink(`${from}/${name}`, `${to}/${name}`);
    }
  }
  return cache;
}

Deno.test("a mistake in the sources is told with its place and stops", async () => {
  const root = await checkout();
  const main = `${root}/src/web/client/main.tsx`;
  await Deno.writeTextFile(main, "\nconst x = ;", { append: true });
  const { code, output } = await build(root);
  assert.equal(code, 1);
  assert.match(output, /main\.tsx:\d+/);
});
