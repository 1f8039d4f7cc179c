/** web V1: what runs, what ended, and what an administrator does first. */
import type { JSX } from "preact";
import type { JobRowAnswer, JobsAnswer } from "../../shared/answers.ts";
import { badness, LEVELS } from "../../shared/levels.ts";
import { formatEnergy } from "../../shared/quantities.ts";
import { getJson } from "../api.ts";
import { Ago, jobPath, JobState, Walltime } from "../parts/job_bits.tsx";
import { LevelMark, SmallPrints } from "../parts/level.tsx";
import { Empty, Part } from "../parts/part.tsx";
import { Name, visible } from "../parts/text.tsx";
import { useAnswer } from "../state/answer.ts";
import {
  clusters,
  isConfigured,
  isStaff,
  metricsOf,
  session,
} from "../state/session.ts";
import { FirstSteps } from "./first_steps.tsx";

const LIVE_SEC = 30;
const RUNNING_MAX = 12;
const ENDED_MAX = 10;

export function Home(): JSX.Element {
  const steps = session.value?.firstSteps;
  if (steps !== undefined && !steps.sample) return <FirstSteps />;
  return (
    <>
      <div class="view-head">
        <h1>{isStaff.value ? "The clusters now" : "Your jobs"}</h1>
      </div>
      {isStaff.value && <Clusters />}
      <Running />
      <Ended />
      {steps !== undefined && (!steps.clusterFile || !steps.job) && (
        <section class="section">
          <FirstSteps />
        </section>
      )}
    </>
  );
}

function useJobs(query: string) {
  return useAnswer(
    query,
    () => getJson<JobsAnswer>(`jobs?${query}`),
    LIVE_SEC,
  );
}

function Clusters(): JSX.Element {
  return (
    <div class="cards">
      {clusters.value.map(({ name }) => <ClusterCard key={name} name={name} />)}
    </div>
  );
}

function ClusterCard({ name }: { name: string }): JSX.Element {
  const query = new URLSearchParams({ cluster: name, state: "running" });
  const path = `/monitoring/jobs/?${query}`;
  const answer = useAnswer(
    `count ${name}`,
    () => getJson<{ count: number }>(`jobs/count?${query}`),
    LIVE_SEC,
  );
  const cluster = clusters.value.find((one) => one.name === name);
  return (
    <section class="card">
      <h2>
        <a href={path}>{visible(name)}</a>
      </h2>
      <Part of={answer} height={60}>
        {({ count }) => (
          <p>
            <span class="big-number">{count}</span>{" "}
            {count === 1 ? "job runs" : "jobs run"}
          </p>
        )}
      </Part>
      {isConfigured(name)
        ? (
          <p class="small muted">
            {cluster?.subClusters.map((sub) => `${sub.name}: ${sub.nodes}`)
              .join(", ").slice(0, 120)}
          </p>
        )
        : (
          <p class="small muted">
            Without a cluster.json: it would add units, thresholds, and which
            cores make up a socket.
          </p>
        )}
    </section>
  );
}

function Running(): JSX.Element {
  const answer = useJobs(`state=running&limit=${RUNNING_MAX}`);
  return (
    <section class="section">
      <div class="row spread">
        <h2>Running</h2>
        <a href="/monitoring/jobs/?state=running">all running jobs</a>
      </div>
      <Part of={answer} height={200}>
        {({ jobs, users }) =>
          jobs.length === 0
            ? (
              <Empty>
                <strong>No job runs now.</strong>
                <span>
                  A job is here as soon as the batch system tells of its start.
                </span>
              </Empty>
            )
            : (
              <div class="cards">
                {jobs.map((job) => (
                  <JobCard key={job.id} job={job} users={users} />
                ))}
              </div>
            )}
      </Part>
    </section>
  );
}

function JobCard(
  { job, users }: {
    job: JobRowAnswer;
    users: Readonly<Record<string, string>>;
  },
): JSX.Element {
  const metrics = metricsOf(job.cluster, job.subCluster);
  const worst = [...job.footprint]
    .sort((a, b) => badness(b.level) - badness(a.level))[0];
  return (
    <article class="card">
      <div class="card-title">
        <h3>
          <a href={jobPath(job.id)}>{job.jobId}</a>{" "}
          <Name text={job.name} none="" most={40} />
        </h3>
        <JobState state={job.state} />
      </div>
      <p class="small muted">
        {isStaff.value && (
          <>
            <span title={visible(users[job.user] ?? "")}>
              <Name text={job.user} most={24} />
            </span>
            {" · "}
          </>
        )}
        {visible(job.cluster)} · {job.numNodes}{" "}
        {job.numNodes === 1 ? "node" : "nodes"}
      </p>
      <p>
        <Walltime job={job} />
      </p>
      <SmallPrints footprint={job.footprint.slice(0, 3)} metrics={metrics} />
      {worst !== undefined && badness(worst.level) > 2 && (
        <p class="small">
          <LevelMark level={worst.level} withWord /> {worst.metric}:{" "}
          {LEVELS[worst.level].advice}
        </p>
      )}
    </article>
  );
}

const ENDED = [
  ...["completed", "failed", "cancelled", "timeout", "out_of_memory"],
  ...["node_fail", "boot_fail", "deadline", "preempted"],
].map((state) => `state=${state}`).join("&");

function Ended(): JSX.Element {
  const answer = useJobs(`${ENDED}&limit=${ENDED_MAX}`);
  return (
    <section class="section">
      <div class="row spread">
        <h2>Ended last</h2>
        <a href="/monitoring/jobs/">all jobs</a>
      </div>
      <Part of={answer} height={360}>
        {({ jobs }) =>
          jobs.length === 0 ? <Empty>No job has ended yet.</Empty> : (
            <div
              class="table-frame"
              tabIndex={0}
              role="region"
              aria-label="Ended jobs"
            >
              <table>
                <thead>
                  <tr>
                    <th scope="col" class="pin-left">id</th>
                    <th scope="col">name</th>
                    {isStaff.value && <th scope="col">user</th>}
                    <th scope="col">state</th>
                    <th scope="col">started</th>
                    <th scope="col" class="number">nodes</th>
                    <th scope="col">duration</th>
                    <th scope="col" class="number">energy</th>
                    <th scope="col">footprint</th>
                  </tr>
                </thead>
                <tbody>
                  {jobs.map((job) => (
                    <tr key={job.id}>
                      <th scope="row">
                        <a href={jobPath(job.id)}>{job.jobId}</a>
                      </th>
                      <td>
                        <Name text={job.name} most={28} />
                      </td>
                      {isStaff.value && (
                        <td>
                          <Name text={job.user} most={20} />
                        </td>
                      )}
                      <td>
                        <JobState state={job.state} />
                      </td>
                      <td>
                        <Ago sec={job.startTime} />
                      </td>
                      <td class="number">{job.numNodes}</td>
                      <td>
                        <Walltime job={job} />
                      </td>
                      <td class="number">{formatEnergy(job.energy)}</td>
                      <td>
                        <SmallPrints
                          footprint={job.footprint}
                          metrics={metricsOf(job.cluster, job.subCluster)}
                        />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
      </Part>
    </section>
  );
}
