/** Jobs as cards of a few facts, for phones. */
import type { JSX } from "preact";
import type { JobRowAnswer } from "../../../shared/answers.ts";
import { badness } from "../../../shared/levels.ts";
import { Ago, jobPath, JobState, Walltime } from "../../parts/job_bits.tsx";
import { SmallPrints } from "../../parts/level.tsx";
import { Name } from "../../parts/text.tsx";
import { metricsOf } from "../../state/session.ts";

export function JobCards(
  { jobs }: { jobs: readonly JobRowAnswer[] },
): JSX.Element {
  return (
    <ul class="job-cards" aria-label="Jobs">
      {jobs.map((job) => {
        // The worst footprints say most in little room.
        const worst = [...job.footprint]
          .sort((a, b) => badness(b.level) - badness(a.level))
          .slice(0, 3);
        return (
          <li class="card" key={job.id}>
            <div class="card-title">
              <h2>
                <a href={jobPath(job.id)}>{job.jobId}</a>{" "}
                <Name text={job.name} none="" most={40} />
              </h2>
              <JobState state={job.state} />
            </div>
            <p class="small muted">
              <Name text={job.user} most={24} /> · {job.numNodes}{" "}
              {job.numNodes === 1 ? "node" : "nodes"} ·{" "}
              <Ago sec={job.startTime} />
            </p>
            <p>
              <Walltime job={job} />
            </p>
            <SmallPrints
              footprint={worst}
              metrics={metricsOf(job.cluster, job.subCluster)}
            />
          </li>
        );
      })}
    </ul>
  );
}
