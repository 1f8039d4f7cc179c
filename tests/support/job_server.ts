/**
 * A server with what the recorded exchanges of the job API need: three real clusters,
 * the real job in the archive and in the database, users, keys.
 */
import {
  programArguments,
  type ServerOptions,
  TestServer,
  workDirectory,
} from "./server.ts";
import type { JobCredentials } from "./job_golden.ts";
import { placeRealJob } from "./real_job_archive.ts";

const TESTDATA = new URL("../testdata/", import.meta.url);
export const CLUSTERS = ["alex", "emmy", "fritz"];

export async function readCredentials(): Promise<JobCredentials> {
  const file = new URL("golden/jobs/credentials.json", TESTDATA);
  return JSON.parse(await Deno.readTextFile(file));
}

/** Options besides those: `main` settings, and whether the real job is there. */
export interface JobServerOptions {
  readonly main?: Readonly<Record<string, unknown>>;
  readonly sections?: Readonly<Record<string, unknown>>;
  readonly withRealJob?: boolean;
}

export async function startJobServer(
  options: JobServerOptions = {},
): Promise<TestServer> {
  const credentials = await readCredentials();
  const server: ServerOptions = {
    metrics: {},
    main: {
      "jwt-public-key": credentials.publicKey,
      // Recorded requests say by header where they come from.
      "trusted-proxies": ["127.0.0.1"],
      ...options.main,
    },
    env: { JWT_PRIVATE_KEY: credentials.privateKey },
    ...(options.sections ? { sections: options.sections } : {}),
    prepare: async (directory, configFile) => {
      await makeArchive(
        `${directory}/job-archive`,
        options.withRealJob ?? true,
      );
      for (const { username, roles, password } of credentials.users) {
        // Our rules want a project of a manager; upstream's table has none.
        const projects = roles.includes("manager")
          ? ["--projects", "none"]
          : [];
        await ringstore(
          ["user", "add", username, "--roles", roles.join(","), ...projects],
          configFile,
          `${password}\n`,
        );
      }
      await ringstore(["archive", "init-db"], configFile);
    },
  };
  return await TestServer.start(server);
}

async function makeArchive(root: string, withRealJob: boolean): Promise<void> {
  await Deno.mkdir(root, { recursive: true });
  await Deno.writeTextFile(`${root}/version.txt`, "3\n");
  for (const cluster of CLUSTERS) {
    await Deno.mkdir(`${root}/${cluster}`, { recursive: true });
    const text = await Deno.readTextFile(
      new URL(`clusters/${cluster}.json`, TESTDATA),
    );
    await Deno.writeTextFile(`${root}/${cluster}/cluster.json`, text);
  }
  if (withRealJob) placeRealJob(root);
}

/** Runs a command of the program, which must end well; gives what it printed. */
export async function ringstore(
  args: readonly string[],
  configFile: string,
  input = "",
): Promise<string> {
  const { success, stdout, stderr } = await runRingstore(
    args,
    configFile,
    input,
  );
  if (success) return stdout;
  throw new Error(`${args.join(" ")}: ${stdout}${stderr}`);
}

/** Runs a command of the program with the permissions of the server, to its end. */
export async function runRingstore(
  args: readonly string[],
  configFile: string,
  input = "",
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...programArguments(), "-config", configFile, ...args],
    cwd: workDirectory(),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  return {
    success,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}
