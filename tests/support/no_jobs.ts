/** For tests that do not come near the job API, or a reload. */
import { ClientError } from "../../src/base/errors.ts";
import type { JobTimes } from "../../src/jobs/lifecycle/host_times.ts";
import type { JobServices } from "../../src/jobs/lifecycle/services.ts";

const NO_TIMES: Pick<JobTimes, "narrow"> = {
  narrow: (scope, cluster) => ({
    ...scope,
    times: { cluster, byHost: new Map() },
  }),
};

/** Whoever asks for anything of it learns so; nobody has any, so people see no host. */
export function noJobs(): JobServices {
  return new Proxy({} as JobServices, {
    get(_, name) {
      if (name === "times") return NO_TIMES;
      if (name === "startsByHttp") return true;
      if (name === "machineStateDir") return "";
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
