/** The metrics of a job as pages read them, one metric in memory at a time. Main thread. */
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import type { JobRow } from "../../db/job_row.ts";
import type { ApiCall } from "../../http/api_route.ts";
import { inTurn, type MetricsInTurn } from "../../jobs/api/data_answer.ts";
import type { JobMetric, NamedMetric } from "../../jobs/data/job_data.ts";
import { metricScope } from "../../jobs/lifecycle/job_access.ts";
import type { JobServices } from "../../jobs/lifecycle/services.ts";

export interface WantedMetrics {
  /** Absent: all. */
  readonly metrics?: readonly string[];
  readonly scope: MetricScope;
}

export interface JobMetricsReading extends MetricsInTurn {
  /** As in `OpenJobData`. */
  readonly dataStart: number | undefined;
}

/** Opens the metrics as they were measured; the result must be closed. */
export async function readJobMetrics(
  { metrics: service, reads }: Pick<JobServices, "metrics" | "reads">,
  call: Pick<ApiCall, "principal" | "nowMs">,
  job: JobRow,
  { metrics, scope }: WantedMetrics,
): Promise<JobMetricsReading> {
  const { principal } = call;
  const reading = reads.open(principal.shareKey);
  try {
    const open = await service.open(job, {
      metrics,
      request: {
        scopes: [scope],
        acceleratorMetrics: scope === "accelerator",
      },
      resolutionSec: 0,
      withoutStatisticsSeries: true,
      scope: metricScope(principal),
      nowSec: Math.floor(call.nowMs / 1000),
      signal: reading.signal,
    });
    return { ...await inTurn(reading, open), dataStart: open.dataStart };
  } catch (error) {
    reading.close();
    throw error;
  }
}

/** The scope that was asked for, or else the one there is. */
export function inScope(
  { scopes }: NamedMetric,
  scope: MetricScope,
): readonly [MetricScope, JobMetric] | undefined {
  const wanted = scopes.get(scope);
  if (wanted !== undefined) return [scope, wanted];
  const [first] = scopes;
  return first;
}
