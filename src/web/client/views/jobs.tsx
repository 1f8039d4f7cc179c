/** web V5: the list of jobs. The URL says what is listed, and how. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type {
  JobCountAnswer,
  JobRowAnswer,
  JobsAnswer,
} from "../../shared/answers.ts";
import { FILTER_KEYS } from "../../shared/job_filter_url.ts";
import { formatCount } from "../../shared/quantities.ts";
import { getJson } from "../api.ts";
import { Icon } from "../icons.tsx";
import { isPhone } from "../parts/media.ts";
import { Empty, Part } from "../parts/part.tsx";
import { go, place, withQuery } from "../router.ts";
import { useAnswer } from "../state/answer.ts";
import { clusters, setting } from "../state/session.ts";
import { FilterChips } from "./jobs/filter_chips.tsx";
import { FilterForm } from "./jobs/filter_form.tsx";
import { JobCards } from "./jobs/job_cards.tsx";
import { COLUMNS, columnsOf, JobTable } from "./jobs/job_table.tsx";
import { ExportButtons } from "./jobs/export_buttons.tsx";
import { SelectionBar } from "./jobs/selection_bar.tsx";

const LIVE_SEC = 30;
const LIMITS = [25, 50, 100, 200];
const LIMIT = 50;

export function Jobs(): JSX.Element {
  const { search } = place.value;
  const [isFiltering, setFiltering] = useState(false);
  const [isChoosing, setChoosing] = useState(false);
  const [selected, select] = useState<ReadonlySet<number>>(new Set());
  const filter = useMemo(() => filterOf(search), [search]);
  const limit = LIMITS.find((one) => String(one) === search.get("limit")) ??
    LIMIT;
  const query = new URLSearchParams(filter);
  query.set("limit", String(limit));
  for (const key of ["sort", "order", "after", "before"]) {
    const value = search.get(key);
    if (value !== null) query.set(key, value);
  }
  const list = useAnswer(
    String(query),
    () => getJson<JobsAnswer>(`jobs?${query}`),
    LIVE_SEC,
  );
  useDefaultCluster();
  useKeyF(() => setFiltering(!isFiltering));
  const columns = columnsOf(search.get("cols"));
  const rows = useSteady(String(query), list.value?.jobs);
  return (
    <>
      <div class="view-head">
        <h1>Jobs</h1>
        <Count filter={String(filter)} shown={list.value} />
        <span class="row">
          <ExportButtons filter={filter} order={query} />
          <button
            type="button"
            aria-expanded={isChoosing}
            onClick={() => setChoosing(!isChoosing)}
          >
            <Icon name="columns" size={16} />Columns
          </button>
        </span>
      </div>
      <FilterChips
        search={filter}
        isOpen={isFiltering}
        onOpen={() => setFiltering(!isFiltering)}
      />
      {isFiltering && (
        <FilterForm
          search={filter}
          onDone={() => setFiltering(false)}
        />
      )}
      {isChoosing && (
        <fieldset class="card chips">
          <legend class="visually-hidden">Columns</legend>
          {COLUMNS.map(({ key, title }) => (
            <label key={key}>
              <input
                type="checkbox"
                checked={columns.includes(key)}
                onChange={(event) => {
                  const next = COLUMNS.map((one) => one.key).filter((one) =>
                    one === key
                      ? event.currentTarget.checked
                      : columns.includes(one)
                  );
                  go(withQuery({ cols: next.join(",") }), { replace: true });
                }}
              />
              {title}
            </label>
          ))}
        </fieldset>
      )}
      {selected.size > 0 && (
        <SelectionBar
          selected={selected}
          onClear={() => select(new Set())}
          onDone={list.reload}
        />
      )}
      {rows.fresh > 0 && (
        <p>
          <button type="button" onClick={rows.accept}>
            ↑ {rows.fresh} new {rows.fresh === 1 ? "job" : "jobs"}
          </button>
        </p>
      )}
      <Part of={list} height={limit * 36}>
        {(answer) =>
          answer.jobs.length === 0
            ? <NoJobs isFiltered={String(filter) !== ""} />
            : isPhone.value
            ? <JobCards jobs={rows.jobs} />
            : (
              <JobTable
                jobs={rows.jobs}
                users={answer.users}
                columns={columns}
                sort={search.get("sort") ?? "startTime"}
                order={search.get("order") === "asc" ? "asc" : "desc"}
                selected={selected}
                onSelect={select}
              />
            )}
      </Part>
      <Pager answer={list.value} limit={limit} />
    </>
  );
}

/** The parameters that belong to the filter. */
function filterOf(search: URLSearchParams): URLSearchParams {
  return new URLSearchParams(
    [...search].filter(([key]) => FILTER_KEYS.has(key)),
  );
}

/** The cluster that people want to see first, if they came without any wish. */
function useDefaultCluster(): void {
  useEffect(() => {
    const cluster = setting("web.defaultCluster");
    if (cluster === "" || place.peek().search.size > 0) return;
    if (!clusters.peek().some(({ name }) => name === cluster)) return;
    go(withQuery({ cluster }), { replace: true });
  }, []);
}

function useKeyF(act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "f" || event.ctrlKey || event.metaKey) return;
      if (
        !setting("web.keys") || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)
      ) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

/**
 * A list that does not jump while one reads it: rows change in place, new ones wait
 * until they are asked for.
 */
function useSteady(key: string, answer: readonly JobRowAnswer[] | undefined) {
  const kept = useRef<{ key: string; ids: readonly number[] }>({
    key: "",
    ids: [],
  });
  const old = useRef(new Map<number, JobRowAnswer>());
  const [, redraw] = useState(0);
  if (answer === undefined) return { jobs: [], fresh: 0, accept: () => {} };
  const accept = () => {
    kept.current = { key, ids: answer.map(({ id }) => id) };
    redraw((count) => count + 1);
  };
  const known = new Set(kept.current.ids);
  const fresh = answer.filter(({ id }) => !known.has(id)).length;
  if (kept.current.key !== key || kept.current.ids.length === 0) {
    kept.current = { key, ids: answer.map(({ id }) => id) };
    old.current = new Map(answer.map((job) => [job.id, job]));
    return { jobs: answer, fresh: 0, accept };
  }
  for (const job of answer) old.current.set(job.id, job);
  const jobs = kept.current.ids.flatMap((id) => old.current.get(id) ?? []);
  return { jobs, fresh, accept };
}

/** How many there are: the exact number is counted apart, and comes when it comes. */
function Count(
  { filter, shown }: { filter: string; shown: JobsAnswer | undefined },
): JSX.Element {
  const count = useAnswer(
    `count ${filter}`,
    () => getJson<JobCountAnswer>(`jobs/count?${filter}`),
  );
  const about = shown === undefined
    ? ""
    : shown.next === undefined
    ? `${shown.jobs.length} on this page`
    : `more than ${shown.jobs.length} jobs`;
  const { value } = count;
  return (
    <span class="muted" role="status">
      {value === undefined
        ? about
        : `${value.exact ? "" : "about "}${formatCount(value.count)} ${
          value.count === 1 ? "job" : "jobs"
        }`}
    </span>
  );
}

function NoJobs({ isFiltered }: { isFiltered: boolean }): JSX.Element {
  return (
    <Empty>
      <strong>{isFiltered ? "No job is like that." : "No jobs yet."}</strong>
      <span>
        {isFiltered
          ? "Take a filter away, or widen a range."
          : "A job is here as soon as the batch system tells of its start."}
      </span>
      {isFiltered && (
        <a class="button" href="/monitoring/jobs/">Without filters</a>
      )}
    </Empty>
  );
}

function Pager(
  { answer, limit }: { answer: JobsAnswer | undefined; limit: number },
): JSX.Element {
  const { search } = place.value;
  const isFirst = !search.has("after") && !search.has("before");
  const { next, previous } = answer ?? {};
  return (
    <div class="row pager">
      {isFirst ? <button type="button" disabled>‹ newer</button> : (
        <a
          class="button"
          href={withQuery({ after: undefined, before: previous })}
        >
          ‹ newer
        </a>
      )}
      {next === undefined ? <button type="button" disabled>older ›</button> : (
        <a
          class="button"
          href={withQuery({ before: undefined, after: next })}
        >
          older ›
        </a>
      )}
      <label class="row small muted">
        a page
        <select
          value={String(limit)}
          onChange={(event) =>
            go(withQuery({
              limit: event.currentTarget.value,
              after: undefined,
              before: undefined,
            }))}
        >
          {LIMITS.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
      </label>
    </div>
  );
}
