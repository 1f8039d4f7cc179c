/**
 * A real ringstore process on a free port, with a configuration and directories
 * of its own that vanish with it. It runs with exactly the flags of the `start`
 * task, so tests see the permissions that users have.
 */
import denoConfig from "../../deno.json" with { type: "json" };
import { SAMPLE_PUBLIC_KEY } from "./client.ts";
import { Child } from "./child.ts";

/** The repository's root directory. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** Far above a start on a busy machine; only reached when something is broken. */
const START_MS = 20_000;

export interface MetricEntry {
  readonly frequency: number;
  readonly aggregation: "sum" | "avg" | null;
}

export interface ServerOptions {
  readonly metrics: Readonly<Record<string, MetricEntry>>;
  /** Merged over the section's defaults for tests. */
  readonly main?: Readonly<Record<string, unknown>>;
  readonly metricStore?: Readonly<Record<string, unknown>>;
  /** Further top-level sections. */
  readonly sections?: Readonly<Record<string, unknown>>;
  /** Further command-line flags. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the server's directory and configuration file before it starts. */
  readonly prepare?: (directory: string, configFile: string) => Promise<void>;
}

/** The arguments of the `start` task after `deno`, as they stand there. */
export function startArguments(): string[] {
  return wordsOf("start");
}

/**
 * The same for a process that works in `workDirectory()`, or anywhere else: with the
 * permissions of the task, the entry file and the configuration by their full paths.
 */
export function programArguments(
  task: keyof typeof denoConfig.tasks = "start",
) {
  const [run = "", ...words] = wordsOf(task);
  return [
    run,
    `--config=${ROOT}deno.json`,
    ...words.map((word) => word === "main.ts" ? ROOT + word : word),
  ];
}

function wordsOf(task: keyof typeof denoConfig.tasks): string[] {
  const entry = denoConfig.tasks[task];
  const words = (typeof entry === "string" ? entry : entry.command)
    .split(/\s+/);
  if (words[0] !== "deno") throw new Error(`the task ${task} must run deno`);
  return words.slice(1);
}

let work: string | undefined;

/**
 * Where the processes of a test file work. What they keep by default goes to `./var`
 * there, the only place where the task lets them write: the checkout's `./var` is the
 * user's. Vanishes when the tests of the file are over.
 */
export function workDirectory(): string {
  if (work !== undefined) return work;
  const made = work = Deno.makeTempDirSync({ prefix: "ringstore-test-" });
  Deno.mkdirSync(`${made}/var`);
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(made, { recursive: true });
  });
  return made;
}

export class TestServer implements AsyncDisposable {
  /** Like `http://127.0.0.1:41234`, without a slash at the end. */
  readonly url: string;
  readonly child: Child;
  readonly directory: string;

  private constructor(url: string, child: Child, directory: string) {
    this.url = url;
    this.child = child;
    this.directory = directory;
  }

  /** Starts it and resolves when it is ready. */
  static async start(options: ServerOptions): Promise<TestServer> {
    const directory = await makeDirectory();
    const configFile = `${directory}/config.json`;
    await Deno.writeTextFile(
      configFile,
      JSON.stringify(configuration(options, directory)),
    );
    await options.prepare?.(directory, configFile);
    const child = new Child({
      command: Deno.execPath(),
      args: [
        ...programArguments(),
        "-config",
        configFile,
        ...(options.flags ?? []),
      ],
      cwd: workDirectory(),
      ...(options.env ? { env: options.env } : {}),
    });
    try {
      const url = await child.until(
        "the line with the address",
        START_MS,
        () => listeningUrl(child.output),
      );
      await child.untilAnswers(`${url}/ready`, 200, START_MS);
      return new TestServer(url, child, directory);
    } catch (error) {
      await child.stop("SIGKILL");
      await Deno.remove(directory, { recursive: true });
      throw error;
    }
  }

  /** Ends it with SIGTERM and removes its files; gives what it exited with. */
  async stop(): Promise<Deno.CommandStatus> {
    const status = await this.child.stop();
    await Deno.remove(this.directory, { recursive: true });
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A new directory where a server of the tests may write. */
export async function makeDirectory(): Promise<string> {
  const dir = `${workDirectory()}/var`;
  return await Deno.makeTempDir({ dir, prefix: "run-" });
}

function configuration(options: ServerOptions, directory: string) {
  return {
    main: {
      addr: "127.0.0.1:0",
      "jwt-public-key": SAMPLE_PUBLIC_KEY,
      db: `${directory}/job.db`,
      ...options.main,
    },
    metrics: options.metrics,
    "metric-store": {
      "retention-in-memory": "48h",
      "memory-cap": 1,
      checkpoints: { directory: `${directory}/checkpoints` },
      ...options.metricStore,
    },
    archive: { path: `${directory}/job-archive` },
    ...options.sections,
  };
}

/** The address in the line that announces it. */
function listeningUrl(output: string): string | undefined {
  const match = /listening[^\n]*?(?:127\.0\.0\.1|localhost):(\d+)[^\n]*\n/i
    .exec(output);
  return match === null ? undefined : `http://127.0.0.1:${match[1]}`;
}
