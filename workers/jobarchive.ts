/** Entry of the job archive's workers: read and write archived jobs while the server goes on. */
import { buffersOf } from "../src/jobs/archive/data_buffers.ts";
import type { NamedMetric } from "../src/jobs/data/job_data.ts";
import { JobArchiveDesk } from "../src/jobs/archive/job_archive_desk.ts";
import type {
  JobArchiveReply,
  JobArchiveRequest,
} from "../src/jobs/archive/job_archive_messages.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<JobArchiveRequest>) => void;
  postMessage(reply: JobArchiveReply, transfer: ArrayBuffer[]): void;
};

const desk = new JobArchiveDesk();

scope.onmessage = async (event) => {
  const reply = await desk.answer(event.data);
  const metric = reply.isOk && event.data.call === "nextMetric"
    ? reply.value as NamedMetric | undefined
    : undefined;
  scope.postMessage(
    reply,
    metric === undefined ? [] : buffersOf(metric.scopes),
  );
};
