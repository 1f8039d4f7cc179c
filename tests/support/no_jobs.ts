/** For tests that do not come near the job API. */
import type { JobServices } from "../../src/jobs/services.ts";

/** Whoever asks for anything of it learns so. */
export function noJobs(): JobServices {
  return new Proxy({} as JobServices, {
    get(_, name) {
      throw new Error(`this test has no jobs: ${String(name)}`);
    },
  });
}
