/** User, place, size and times of a job; tags and the note of the staff. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { JobAnswer, TagAnswer } from "../../../shared/answers.ts";
import {
  formatCount,
  formatEnergy,
  formatQuantity,
} from "../../../shared/quantities.ts";
import { formatSpan } from "../../../shared/times.ts";
import { ApiError, sendJson } from "../../api.ts";
import { second } from "../../clock.ts";
import { Icon } from "../../icons.tsx";
import {
  Ago,
  durationOf,
  jobPath,
  JobState,
  Moment,
} from "../../parts/job_bits.tsx";
import { Name, visible } from "../../parts/text.tsx";
import { hasRole, session } from "../../state/session.ts";
import { TagScope } from "../jobs/selection_bar.tsx";

const ARCHIVE_WORDS: Readonly<Record<string, string>> = {
  memory: "in memory",
  waiting: "waiting for the archive",
  archived: "archived",
  failed: "could not be archived",
  disabled: "not monitored",
};

export function JobHead(
  { answer, reload }: { answer: JobAnswer; reload: () => void },
): JSX.Element {
  const { job, archive, sharedWith } = answer;
  second.value;
  const duration = durationOf(job);
  const emission = session.value?.limits.emissionConstant ?? 0;
  const queued = job.submitTime > 0 ? job.startTime - job.submitTime : 0;
  return (
    <section class="card job-head" aria-label="Job">
      <div class="row spread">
        <div class="row">
          <h1>Job {job.jobId}</h1>
          <span>
            <Name text={job.name} none="" most={60} />
          </span>
          <JobState state={job.state} />
          {job.arrayJobId !== undefined && (
            <a
              class="small"
              href={`/monitoring/jobs/?${new URLSearchParams({
                arrayJobId: job.arrayJobId,
              })}`}
            >
              of array {job.arrayJobId}
            </a>
          )}
        </div>
        <div class="row">
          <Neighbour
            id={answer.previous}
            name="Previous job of the user"
            icon="left"
          />
          <Neighbour
            id={answer.next}
            name="Next job of the user"
            icon="right"
          />
        </div>
      </div>
      <dl class="facts">
        <Fact name="user">
          <a
            href={`/monitoring/jobs/?${new URLSearchParams({
              user: job.user,
              userMatch: "eq",
            })}`}
          >
            <Name text={job.user} most={32} />
          </a>
          {answer.fullName !== "" && (
            <>
              {" "}(<Name text={answer.fullName} most={40} />)
            </>
          )}
        </Fact>
        <Fact name="project">
          <Name text={job.project} most={32} />
        </Fact>
        <Fact name="cluster">
          <Name
            text={`${job.cluster}${job.subCluster ? `/${job.subCluster}` : ""}`}
            most={40}
          />
          {job.partition !== "" && (
            <>
              , <Name text={job.partition} most={32} />
            </>
          )}
        </Fact>
        <Fact name="size">
          {formatCount(job.numNodes)} {job.numNodes === 1 ? "node" : "nodes"}
          {job.numHwthreads > 0 &&
            ` · ${formatCount(job.numHwthreads)} threads`}
          {job.numAcc > 0 && ` · ${formatCount(job.numAcc)} GPUs`}
        </Fact>
        <Fact name="started">
          <Moment sec={job.startTime} /> (<Ago sec={job.startTime} />)
        </Fact>
        <Fact name={job.walltime > 0 ? "duration of walltime" : "duration"}>
          {formatSpan(duration)}
          {job.walltime > 0 && ` of ${formatSpan(job.walltime)}`}
          {job.walltime > 0 && (
            <>
              {" "}
              <span class="bar" aria-hidden="true">
                <span
                  class="bar-fill"
                  style={{
                    width: `${
                      Math.min(100, (duration / job.walltime) * 100).toFixed(0)
                    }%`,
                  }}
                />
              </span>
            </>
          )}
        </Fact>
        {queued > 0 && <Fact name="waited">{formatSpan(queued)}</Fact>}
        {job.energy > 0 && (
          <Fact name="energy">
            {formatEnergy(job.energy)}
            {emission > 0 &&
              ` · ${
                formatQuantity((job.energy * emission) / 1000, {
                  base: "kg CO₂",
                })
              }`}
          </Fact>
        )}
        {job.shared !== "none" && (
          <Fact name="nodes shared with">
            {sharedWith.count === 0 && "no other job"}
            {sharedWith.jobs === undefined && sharedWith.count > 0 &&
              `${sharedWith.count} other jobs`}
            {sharedWith.jobs?.slice(0, 5).map(({ id, jobId, user }) => (
              <span key={id}>
                <a href={jobPath(id)}>{jobId}</a> of{" "}
                <Name text={user} most={20} />
                {" "}
              </span>
            ))}
            {(sharedWith.jobs?.length ?? 0) > 5 &&
              `and ${sharedWith.count - 5} more`}
          </Fact>
        )}
        <Fact name="data">
          {ARCHIVE_WORDS[archive.state] ?? archive.state}
          {archive.tries !== undefined && archive.state !== "archived" &&
            archive.tries > 0 && `, ${archive.tries} tries`}
          {archive.reason !== undefined && archive.reason !== "" && (
            <>
              : <Name text={archive.reason} most={80} />
            </>
          )}
        </Fact>
        <Fact name="tags">
          <Tags id={job.id} tags={job.tags} reload={reload} />
        </Fact>
        {(job.note !== "" || hasRole("admin")) && (
          <Fact name="note of the staff">
            <Note id={job.id} note={job.note} reload={reload} />
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Fact(
  { name, children }: { name: string; children: ComponentChildren },
): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Neighbour(
  { id, name, icon }: {
    id: number | undefined;
    name: string;
    icon: "left" | "right";
  },
): JSX.Element | null {
  if (id === undefined) return null;
  return (
    <a class="button" href={jobPath(id)} aria-label={name} title={name}>
      <Icon name={icon} size={16} />
    </a>
  );
}

/** Runs a change and says what was wrong with it. */
function useChange(reload: () => void) {
  const [error, setError] = useState("");
  const run = async (change: () => Promise<unknown>): Promise<boolean> => {
    try {
      await change();
      setError("");
      reload();
      return true;
    } catch (trouble) {
      if (!(trouble instanceof ApiError)) throw trouble;
      setError(trouble.message);
      return false;
    }
  };
  return { error, run };
}

function Tags(
  { id, tags, reload }: {
    id: number;
    tags: readonly TagAnswer[];
    reload: () => void;
  },
): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { error, run } = useChange(reload);
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const [type, name, scope] = ["type", "name", "scope"]
      .map((key) => String(fields.get(key)));
    const isDone = await run(() =>
      sendJson("POST", `jobs/${id}/tags`, [{ type, name, scope }])
    );
    if (isDone) setOpen(false);
  };
  const remove = ({ type, name, scope }: TagAnswer) =>
    run(() => sendJson("DELETE", `jobs/${id}/tags`, [{ type, name, scope }]));
  return (
    <span class="row">
      {tags.map((tag) => {
        const text = visible(`${tag.type}: ${tag.name}`);
        return (
          <span class="chip" key={tag.id}>
            <span class="cut" title={tag.scope}>{text.slice(0, 60)}</span>
            <button
              type="button"
              aria-label={`Take the tag away: ${text}`}
              onClick={() => remove(tag)}
            >
              <Icon name="close" size={14} />
            </button>
          </span>
        );
      })}
      {!isOpen && (
        <button
          type="button"
          class="plain"
          onClick={() => setOpen(true)}
        >
          <Icon name="plus" size={14} />tag
        </button>
      )}
      {isOpen && (
        <form class="row" onSubmit={add}>
          <input
            name="type"
            placeholder="type"
            aria-label="Type of the tag"
            required
            size={8}
          />
          <input
            name="name"
            placeholder="name"
            aria-label="Name of the tag"
            required
            size={12}
          />
          <TagScope />
          <button type="submit">Add</button>
          <button type="button" class="plain" onClick={() => setOpen(false)}>
            Cancel
          </button>
        </form>
      )}
      {error !== "" && <span class="alert" role="alert">{visible(error)}</span>}
    </span>
  );
}

function Note(
  { id, note, reload }: { id: number; note: string; reload: () => void },
): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { error, run } = useChange(reload);
  if (!isOpen) {
    return (
      <span class="row">
        <span>{visible(note).slice(0, 500)}</span>
        {hasRole("admin") && (
          <button
            type="button"
            class="plain"
            onClick={() => setOpen(true)}
          >
            {note === "" ? "write one" : "change"}
          </button>
        )}
      </span>
    );
  }
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const value = String(
      new FormData(event.target as HTMLFormElement).get("note"),
    );
    const isDone = await run(() =>
      sendJson("PATCH", `jobs/${id}/meta`, { key: "message", value })
    );
    if (isDone) setOpen(false);
  };
  return (
    <form class="row" onSubmit={save}>
      <input
        name="note"
        aria-label="Note"
        defaultValue={note}
        maxLength={1000}
        size={40}
      />
      <button type="submit">Save</button>
      <button type="button" class="plain" onClick={() => setOpen(false)}>
        Cancel
      </button>
      {error !== "" && <span class="alert" role="alert">{visible(error)}</span>}
    </form>
  );
}
