/** Footprints of a job as bars with thresholds, levels in words; all of it is text, too. */
import type { JSX } from "preact";
import type { JobRowAnswer } from "../../../shared/answers.ts";
import { LEVELS } from "../../../shared/levels.ts";
import { formatQuantity } from "../../../shared/quantities.ts";
import { Ago } from "../../parts/job_bits.tsx";
import { LevelBar, LevelMark } from "../../parts/level.tsx";
import { isConfigured, metricsOf } from "../../state/session.ts";

export function Footprint({ job }: { job: JobRowAnswer }): JSX.Element {
  const metrics = metricsOf(job.cluster, job.subCluster);
  if (job.footprint.length === 0) {
    return (
      <p class="muted small">
        {isConfigured(job.cluster)
          ? "No footprint yet: it is taken while the job runs, from metrics that have one."
          : "No footprint: a cluster.json would say which metrics have one."}
      </p>
    );
  }
  return (
    <section class="card" aria-label="Footprint">
      <div class="row spread">
        <h2>Footprint</h2>
        {job.footprintSec !== undefined && (
          <span class="small muted">
            taken <Ago sec={job.footprintSec} />
          </span>
        )}
      </div>
      <div class="wide-bars" role="table" aria-label="Footprint of the job">
        {job.footprint.map((print) => {
          const metric = metrics.find(({ name }) => name === print.metric);
          const unit = metric?.unit ?? { base: "" };
          const peak = metric !== undefined && metric.peak > 0
            ? ` of ${formatQuantity(metric.peak, unit)}`
            : "";
          return (
            <div role="row" class="contents" key={print.metric + print.stat}>
              <span role="rowheader" title={metric?.tooltip}>
                {print.metric} <span class="muted small">{print.stat}</span>
              </span>
              <span role="cell">
                <LevelBar
                  value={print.value}
                  metric={metric}
                  level={print.level}
                />
              </span>
              <span role="cell" class="number">
                {formatQuantity(print.value, unit)}
                <span class="muted">{peak}</span>
              </span>
              <span role="cell" title={LEVELS[print.level].advice}>
                <LevelMark level={print.level} withWord />
              </span>
            </div>
          );
        })}
      </div>
    </section>
  );
}
