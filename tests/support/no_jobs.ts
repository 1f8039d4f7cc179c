/** For tests that do not come near the job API, or a reload. */
import { ClientError } from "../../src/errors.ts";
import type { JobServices } from "../../src/jobs/services.ts";

/** Whoever asks for anything of it learns so. */
export function noJobs(): JobServices {
  return new Proxy({} as JobServices, {
    get(_, name) {
      throw new Error(`this test has no jobs: ${String(name)}`);
    },
  });
}

/** A reload of a server that has no files. */
export function noReload(): Promise<never> {
  return Promise.reject(
    new ClientError("E_UNPROCESSABLE", "this server has no configuration"),
  );
}
