/** Entry of the job archive's workers: read and write archived jobs while the server goes on. */
import { serveCalls } from "../src/base/worker_call.ts";
import { buffersOf } from "../src/jobs/archive/data_buffers.ts";
import type { JobArchiveCalls } from "../src/jobs/archive/job_archive_calls.ts";
import { JobArchiveHandler } from "../src/jobs/archive/job_archive_handler.ts";
import type { NamedMetric } from "../src/jobs/data/job_data.ts";

const handler = new JobArchiveHandler();

serveCalls<JobArchiveCalls>(
  (call) => handler.answer(call),
  ({ name }, value) => {
    const metric = name === "nextMetric"
      ? value as NamedMetric | undefined
      : undefined;
    return metric === undefined ? [] : buffersOf(metric.scopes);
  },
);
