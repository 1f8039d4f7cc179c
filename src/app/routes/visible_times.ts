/** From who asks to what that shows of a cluster at the times asked for. Main thread. */
import type { DataScope } from "../../metricstore/engine/data_scope.ts";
import type { JobTimes } from "../../jobs/lifecycle/host_times.ts";
import type { Exchange } from "../../http/exchange.ts";

/**
 * Goes on with a scope that the engine takes: at once, or where jobs say what may be
 * seen, once these are known.
 */
export function withTimes(
  times: Pick<JobTimes, "narrow">,
  exchange: Exchange,
  scope: DataScope,
  asked: {
    readonly cluster: string;
    readonly from: number;
    readonly to: number;
  },
  next: (scope: DataScope) => void,
): void {
  if (scope.owner === undefined) return next(scope);
  Promise.resolve(times.narrow(scope, asked.cluster, asked.from, asked.to))
    .then(next)
    .catch((error) => exchange.fail(error));
}
