/**
 * A server with pages in the test's own process: the three real clusters, a login of
 * each role, and pages of two small files.
 */
import type { UserRecord } from "../../src/access/access_records.ts";
import type { WebManifest } from "../../src/web/build/manifest.ts";
import { type JobApiOptions, JobApiServer } from "../jobs/job_api.ts";

function user(username: string, roles: string[], projects: string[] = []) {
  return { username, roles, projects, fingerprint: `of ${username}` };
}

/** One of each kind; projects are those that a manager manages. */
export const LOGINS: readonly UserRecord[] = [
  user("eve", ["user"]),
  user("bob", ["user", "api"]),
  user("max", ["manager"], ["p1"]),
  user("sue", ["support"]),
  user("root", ["admin"]),
  user("bot", ["api"]),
  user("nil", []),
];

export const SCRIPT = "main-0123456789.js";
export const STYLE = "style-0123456789.css";

/** The pages as `deno task web` leaves them; they go with the test. */
export async function builtPages(): Promise<URL> {
  const directory = await Deno.makeTempDir({ prefix: "ringstore-pages-" });
  const manifest: WebManifest = {
    inputs: "x",
    build: "build-1",
    script: SCRIPT,
    style: STYLE,
    files: {
      [SCRIPT]: { type: "text/javascript; charset=utf-8", bytes: 12 },
      [STYLE]: { type: "text/css; charset=utf-8", bytes: 5 },
    },
  };
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${directory}/${name}`, text);
  await write("manifest.json", JSON.stringify(manifest));
  await write(SCRIPT, "let plain=1;");
  await write(`${SCRIPT}.br`, "brotli");
  await write(`${SCRIPT}.gz`, "gzip");
  await write(STYLE, "a{b:c}");
  return new URL(`file://${directory}/`);
}

/** An empty directory: nothing was built. */
export async function noPages(): Promise<URL> {
  const directory = await Deno.makeTempDir({ prefix: "ringstore-pages-" });
  return new URL(`file://${directory}/`);
}

export class WebServer implements AsyncDisposable {
  readonly api: JobApiServer;
  readonly #pages: URL;

  private constructor(api: JobApiServer, pages: URL) {
    this.api = api;
    this.#pages = pages;
  }

  static async start(options: JobApiOptions = {}): Promise<WebServer> {
    const pages = options.pages ?? await builtPages();
    const api = await JobApiServer.start({
      users: LOGINS,
      ...options,
      pages,
    });
    return new WebServer(api, pages);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    await Deno.remove(this.#pages, { recursive: true });
  }
}
