/** Resources, script, metadata and raw data of a job. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { JobAnswer, ResourceAnswer } from "../../../shared/answers.ts";
import { Icon } from "../../icons.tsx";
import { CopyButton } from "../../parts/copy_button.tsx";
import { Empty } from "../../parts/part.tsx";
import { Name, visible, visibleLines } from "../../parts/text.tsx";
import { clusters, metricsOf } from "../../state/session.ts";
import { scopesOf } from "./plot_choice.ts";

const HOSTS_MAX = 200;
const SCRIPT_KEYS = ["jobScript", "slurmInfo"];
/** Shown elsewhere. */
const OWN_KEYS = [...SCRIPT_KEYS, "jobName", "message"];

export function Resources({ answer }: { answer: JobAnswer }): JSX.Element {
  const { resources, job } = answer;
  const topology = clusters.value.find(({ name }) => name === job.cluster)
    ?.subClusters.find(({ name }) => name === job.subCluster)?.topology;
  if (resources.length === 0) return <Empty>The job told of no nodes.</Empty>;
  return (
    <>
      <div
        class="table-frame tall"
        tabIndex={0}
        role="region"
        aria-label="Resources"
      >
        <table>
          <thead>
            <tr>
              <th scope="col">node</th>
              <th scope="col">threads</th>
              <th scope="col">accelerators</th>
            </tr>
          </thead>
          <tbody>
            {resources.slice(0, HOSTS_MAX).map((resource) => (
              <tr key={resource.hostname}>
                <th scope="row">
                  <Name text={resource.hostname} />
                </th>
                <td>
                  <Threads resource={resource} all={topology?.node ?? []} />
                </td>
                <td>
                  {resource.accelerators?.map(visible).join(", ") || "–"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {resources.length > HOSTS_MAX && (
        <p class="small muted">and {resources.length - HOSTS_MAX} more nodes</p>
      )}
    </>
  );
}

/** Which threads of the node the job has, as a picture and in words. */
function Threads(
  { resource, all }: { resource: ResourceAnswer; all: readonly number[] },
): JSX.Element {
  const { hwthreads } = resource;
  if (hwthreads === undefined) return <span>whole node</span>;
  const used = new Set(hwthreads);
  const text = `${hwthreads.length} of ${all.length || "?"} threads: ${
    ranges(hwthreads)
  }`;
  return (
    <span>
      <span class="small">{text}</span>
      {all.length > 0 && all.length <= 512 && (
        <span class="threads" aria-hidden="true">
          {all.map((thread) => (
            <span
              key={thread}
              class={`thread ${used.has(thread) ? "used" : ""}`}
            />
          ))}
        </span>
      )}
    </span>
  );
}

/** Like `0-17, 36-53`. */
function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(end === i ? `${sorted[i]}` : `${sorted[i]}-${sorted[end]}`);
    i = end + 1;
  }
  return parts.join(", ");
}

export function Script(
  { metaData }: { metaData: Readonly<Record<string, string>> },
): JSX.Element {
  const script = metaData.jobScript ?? "";
  const info = metaData.slurmInfo ?? "";
  if (script === "" && info === "") {
    return (
      <Empty>
        <strong>No script was sent with this job.</strong>
        <span>The batch system can send it in the metadata key jobScript.</span>
      </Empty>
    );
  }
  return (
    <>
      {script !== "" && (
        <section class="section">
          <div class="row spread">
            <h2>Job script</h2>
            <CopyButton text={script} label="the script" />
          </div>
          <pre
            tabIndex={0}
            role="region"
            aria-label="Job script"
          >{visibleLines(script)}</pre>
        </section>
      )}
      {info !== "" && (
        <section class="section">
          <h2>What the batch system said</h2>
          <pre
            tabIndex={0}
            role="region"
            aria-label="Batch system"
          >{visibleLines(info)}</pre>
        </section>
      )}
    </>
  );
}

export function Metadata({ answer }: { answer: JobAnswer }): JSX.Element {
  const entries = Object.entries(answer.metaData)
    .filter(([key]) => !OWN_KEYS.includes(key));
  if (entries.length === 0) return <Empty>There is no other metadata.</Empty>;
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label="Metadata">
      <table>
        <thead>
          <tr>
            <th scope="col">key</th>
            <th scope="col">value</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(([key, value]) => (
            <tr key={key}>
              <th scope="row">
                <Name text={key} />
              </th>
              <td>
                <Name text={value} most={300} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Downloads in full precision. */
export function RawData({ answer }: { answer: JobAnswer }): JSX.Element {
  const { job } = answer;
  const metrics = metricsOf(job.cluster, job.subCluster);
  const [name, setName] = useState("");
  const [wanted, setScope] = useState("node");
  const metric = metrics.find((one) => one.name === name);
  const scopes = metric === undefined
    ? ["node"]
    : scopesOf(metric, job.numAcc > 0);
  const scope = scopes.includes(wanted) ? wanted : scopes[0] ?? "node";
  const href = (format: string) => {
    const query = new URLSearchParams({ format, scope });
    if (metric !== undefined) query.set("metric", metric.name);
    return `/web/api/jobs/${job.id}/download?${query}`;
  };
  return (
    <section class="card">
      <h2>Download</h2>
      <p class="muted">
        Every sample as it is stored, with times as epoch seconds and in UTC.
      </p>
      <div class="row">
        <label class="row">
          metric
          <select
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          >
            <option value="">all</option>
            {metrics.map((one) => <option key={one.name}>{one.name}</option>)}
          </select>
        </label>
        <label class="row">
          scope
          <select
            value={scope}
            onChange={(event) => setScope(event.currentTarget.value)}
          >
            {scopes.map((one) => <option key={one}>{one}</option>)}
          </select>
        </label>
        <a class="button" href={href("csv")} download>
          <Icon name="download" size={16} />CSV
        </a>
        <a class="button" href={href("json")} download>
          <Icon name="download" size={16} />JSON
        </a>
      </div>
    </section>
  );
}
