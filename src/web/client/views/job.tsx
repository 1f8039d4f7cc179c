/** web V6: one job. Its parts are in views/job/. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { JobAnswer } from "../../shared/answers.ts";
import { visible } from "../parts/text.tsx";
import { getJson } from "../api.ts";
import { Part } from "../parts/part.tsx";
import { jobPath } from "../parts/job_bits.tsx";
import { go, place, withQuery } from "../router.ts";
import { useAnswer } from "../state/answer.ts";
import { setting } from "../state/session.ts";
import { Findings } from "./job/findings.tsx";
import { JobHead } from "./job/job_head.tsx";
import { JobPlots } from "./job/job_plots.tsx";
import { Metadata, RawData, Resources, Script } from "./job/other_tabs.tsx";
import { Statistics } from "./job/statistics.tsx";
import { Footprint } from "./job/footprint.tsx";

const RUNNING_SEC = 30;
const WAITING_SEC = 10;

const TABS = [
  ["plots", "Plots"],
  ["statistics", "Statistics"],
  ["resources", "Resources"],
  ["script", "Script"],
  ["metadata", "Metadata"],
  ["raw", "Raw data"],
] as const;
type TabName = typeof TABS[number][0];

export function Job({ id }: { id: string }): JSX.Element {
  const answer = useAnswer(
    `job ${id}`,
    () => getJson<JobAnswer>(`jobs/${id}`),
    ({ job, archive }) =>
      job.state === "running"
        ? RUNNING_SEC
        : archive.state === "waiting"
        ? WAITING_SEC
        : undefined,
  );
  useNeighbourKeys(answer.value);
  const { value } = answer;
  useEffect(() => {
    if (value === undefined) return;
    document.title = `Job ${value.job.jobId} – ringstore`;
  }, [value?.job.jobId]);
  return (
    <Part of={answer} height={600}>
      {(job) => <JobPage answer={job} reload={answer.reload} />}
    </Part>
  );
}

function JobPage(
  { answer, reload }: { answer: JobAnswer; reload: () => void },
): JSX.Element {
  const wanted = place.value.search.get("tab");
  const tab: TabName = TABS.find(([key]) => key === wanted)?.[0] ?? "plots";
  const { job } = answer;
  return (
    <>
      <JobHead answer={answer} reload={reload} />
      <Findings answer={answer} />
      {job.monitoringStatus === 0 && (
        <p class="finding" role="note">
          This job was not monitored: there are no samples of it.
        </p>
      )}
      <div class="tabs" role="tablist" aria-label="Parts of the job">
        {TABS.map(([key, title]) => (
          <button
            type="button"
            role="tab"
            key={key}
            id={`tab-${key}`}
            aria-selected={tab === key}
            aria-controls="tab-panel"
            tabIndex={tab === key ? 0 : -1}
            onKeyDown={moveTab}
            onClick={() =>
              go(withQuery({ tab: key === "plots" ? undefined : key }))}
          >
            {title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`}>
        {tab === "plots" && (
          <>
            <Footprint job={job} />
            <JobPlots answer={answer} />
          </>
        )}
        {tab === "statistics" && <Statistics job={job} />}
        {tab === "resources" && <Resources answer={answer} />}
        {tab === "script" && <Script metaData={answer.metaData} />}
        {tab === "metadata" && <Metadata answer={answer} />}
        {tab === "raw" && <RawData answer={answer} />}
      </div>
      <p class="visually-hidden">{visible(job.name)}</p>
    </>
  );
}

/** Arrows go through the tabs, as the pattern of tabs has it. */
function moveTab(event: KeyboardEvent): void {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const tabs = [...document.querySelectorAll<HTMLElement>('[role="tab"]')];
  const now = tabs.indexOf(event.currentTarget as HTMLElement);
  const next = tabs[(now + by + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
  event.preventDefault();
}

/** `[` and `]`: the jobs of this user before and after. */
function useNeighbourKeys(answer: JobAnswer | undefined): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!setting("web.keys") || event.ctrlKey || event.metaKey) return;
      const target = event.target as HTMLElement;
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      const id = event.key === "["
        ? answer?.previous
        : event.key === "]"
        ? answer?.next
        : undefined;
      if (id !== undefined) go(jobPath(id));
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [answer?.previous, answer?.next]);
}
