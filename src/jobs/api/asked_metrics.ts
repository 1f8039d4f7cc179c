/** The metrics of a job, opened for whoever asks. Main thread. */
import type { JobRow } from "../../db/job_row.ts";
import type { ApiCall } from "../../http/api_route.ts";
import { metricScope } from "../lifecycle/job_access.ts";
import type { JobMetricsQuestion } from "../lifecycle/job_metrics.ts";
import type { JobServices } from "../lifecycle/services.ts";
import { inTurn, type MetricsInTurn } from "./data_answer.ts";

type Question = Omit<
  JobMetricsQuestion,
  "scope" | "nowSec" | "signal"
>;

export interface AskedMetrics extends MetricsInTurn {
  /** As in `OpenJobData`. */
  readonly dataStart: number | undefined;
}

/** The metrics of a job, as far as the caller may see them; must be closed. */
export async function metricsOf(
  services: Pick<JobServices, "metrics" | "reads">,
  call: Pick<ApiCall, "principal" | "nowMs">,
  job: JobRow,
  question: Question,
): Promise<AskedMetrics> {
  const { metrics: service, reads } = services;
  const scope = metricScope(call.principal);
  const reading = reads.open(call.principal.shareKey);
  try {
    const open = await service.open(job, {
      ...question,
      scope,
      nowSec: Math.floor(call.nowMs / 1000),
      signal: reading.signal,
    });
    return { ...await inTurn(reading, open), dataStart: open.dataStart };
  } catch (error) {
    reading.close();
    throw error;
  }
}
