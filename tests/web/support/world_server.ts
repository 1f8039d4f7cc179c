/** A server with the made-up cluster of the demo in it, and a person of each role. */
import { nowSec } from "../../../src/base/clock.ts";
import {
  type DemoServer,
  fillJobs,
  fillSamples,
} from "../../../src/app/demo/fill.ts";
import { DemoSamples } from "../../../src/app/demo/samples.ts";
import {
  DEMO_CLUSTER,
  type DemoWorld,
  demoWorld,
} from "../../../src/app/demo/world.ts";
import { ringstore } from "../../support/job_server.ts";
import { type ServerOptions, TestServer } from "../../support/server.ts";

export const PASSWORD = "a-long-password";

export const PEOPLE = {
  "demo-admin": "admin",
  "demo-support": "support",
  "demo-manager": "manager",
  "demo-user": "user",
} as const;
export type Person = keyof typeof PEOPLE;

export interface WorldOptions {
  readonly nodes?: number;
  readonly hours?: number;
  readonly people?: readonly Person[];
  /** Neither cluster nor jobs nor samples. */
  readonly isEmpty?: boolean;
  readonly server?: Partial<ServerOptions>;
}

export class WorldServer implements AsyncDisposable {
  readonly server: TestServer;
  readonly world: DemoWorld;
  readonly samples: DemoSamples;
  readonly sender: DemoServer;
  readonly filledToSec: number;

  private constructor(
    server: TestServer,
    world: DemoWorld,
    token: string,
    filledToSec: number,
  ) {
    this.server = server;
    this.world = world;
    this.samples = new DemoSamples(world);
    this.sender = { url: server.url, token };
    this.filledToSec = filledToSec;
  }

  get url(): string {
    return this.server.url;
  }

  static async start(options: WorldOptions = {}): Promise<WorldServer> {
    const { nodes = 40, hours = 1, people = ["demo-admin"] } = options;
    const now = nowSec();
    const world = demoWorld({ nodes, hours, nowSec: now });
    let token = "";
    const { main, ...more } = options.server ?? {};
    const server = await TestServer.start({
      metrics: options.isEmpty
        ? { cpu_load: { frequency: 60, aggregation: "avg" } }
        : {},
      ...more,
      sections: { cron: { "footprint-worker": "5s" }, ...more.sections },
      // Keys of its own, so that the commands sign what the server takes.
      main: { "jwt-public-key": undefined, ...main },
      prepare: async (directory, configFile) => {
        if (!options.isEmpty) await writeCluster(directory, world);
        for (const person of people) await addPerson(person, configFile);
        const args = ["token", "--user", "sender", "--roles", "api"];
        token = (await ringstore(args, configFile)).trim();
        await more.prepare?.(directory, configFile);
      },
    });
    const made = new WorldServer(server, world, token, now);
    if (!options.isEmpty) {
      await fillSamples(made.sender, made.samples, now - hours * 3600, now);
      await fillJobs(made.sender, world);
    }
    return made;
  }

  /** The key of a job's row, which page paths have. */
  async rowId(jobId: number): Promise<number> {
    const jobs = await this.get(`/api/jobs/?job-id=${jobId}`) as {
      jobs: { id: number }[];
    };
    const [job] = jobs.jobs;
    if (job === undefined) throw new Error(`there is no job ${jobId}`);
    return job.id;
  }

  /** JSON of the job API. */
  async get(path: string): Promise<unknown> {
    return JSON.parse(await this.#ask("GET", path));
  }

  async post(path: string, body: unknown): Promise<void> {
    await this.#ask("POST", path, JSON.stringify(body));
  }

  async #ask(method: string, path: string, body?: string): Promise<string> {
    const response = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.sender.token}` },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}

async function addPerson(person: Person, configFile: string): Promise<void> {
  const role = PEOPLE[person];
  const projects = role === "manager" ? ["--projects", "p-climate"] : [];
  await ringstore(
    ["user", "add", person, "--roles", role, ...projects],
    configFile,
    `${PASSWORD}\n`,
  );
}

async function writeCluster(directory: string, world: DemoWorld) {
  const folder = `${directory}/job-archive/${DEMO_CLUSTER}`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${directory}/job-archive/version.txt`,
    "3\n",
  );
  await Deno.writeTextFile(
    `${folder}/cluster.json`,
    JSON.stringify(world.clusterJson),
  );
}
