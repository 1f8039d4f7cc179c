/** The metrics of a job as pages read them, one metric in memory at a time. Main thread. */
import type { MetricScope } from "../../config/clusters/metric_scope.ts";
import type { JobRow } from "../../db/job_row.ts";
import type { ApiCall } from "../../http/api_route.ts";
import { type AskedMetrics, metricsOf } from "../../jobs/api/asked_metrics.ts";
import type { JobMetric, NamedMetric } from "../../jobs/data/job_data.ts";
import type { JobServices } from "../../jobs/lifecycle/services.ts";

export interface WantedMetrics {
  /** Absent: all. */
  readonly metrics?: readonly string[];
  readonly scope: MetricScope;
}

/** Opens the metrics as they were measured; the result must be closed. */
export function readJobMetrics(
  services: Pick<JobServices, "metrics" | "reads">,
  call: Pick<ApiCall, "principal" | "nowMs">,
  job: JobRow,
  { metrics, scope }: WantedMetrics,
): Promise<AskedMetrics> {
  return metricsOf(services, call, job, {
    metrics,
    request: { scopes: [scope], acceleratorMetrics: scope === "accelerator" },
    resolutionSec: 0,
    withoutStatisticsSeries: true,
  });
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
