/** Jobs as rows, with the columns people chose; on a phone as cards of a few facts. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { JobRowAnswer } from "../../../shared/answers.ts";
import { formatCount, formatEnergy } from "../../../shared/quantities.ts";
import { Ago, jobPath, JobState, Walltime } from "../../parts/job_bits.tsx";
import { SmallPrints } from "../../parts/level.tsx";
import { Name, visible } from "../../parts/text.tsx";
import { go, withQuery } from "../../router.ts";
import { metricsOf, session, setting } from "../../state/session.ts";

interface CellContext {
  readonly users: Readonly<Record<string, string>>;
  readonly shortSec: number;
}

interface Column {
  readonly key: string;
  readonly title: string;
  /** Its name in `sort`; absent: the list is not sorted by it. */
  readonly sort?: string;
  readonly isNumber?: boolean;
  readonly isDefault?: boolean;
  readonly cell: (job: JobRowAnswer, context: CellContext) => ComponentChildren;
}

export const COLUMNS: readonly Column[] = [
  {
    key: "name",
    title: "name",
    isDefault: true,
    cell: (job) => <Name text={job.name} none="no name" most={26} />,
  },
  {
    key: "user",
    title: "user",
    isDefault: true,
    cell: (job, { users }) => (
      <a
        href={`/monitoring/jobs/?${new URLSearchParams({
          user: job.user,
          userMatch: "eq",
        })}`}
        title={visible(users[job.user] ?? "")}
      >
        <Name text={job.user} most={18} />
      </a>
    ),
  },
  {
    key: "project",
    title: "project",
    cell: (job) => <Name text={job.project} most={18} />,
  },
  {
    key: "cluster",
    title: "cluster",
    isDefault: true,
    cell: (job) => (
      <Name
        text={job.subCluster === ""
          ? job.cluster
          : `${job.cluster}/${job.subCluster}`}
        most={20}
      />
    ),
  },
  {
    key: "partition",
    title: "partition",
    cell: (job) => <Name text={job.partition} most={18} />,
  },
  {
    key: "state",
    title: "state",
    isDefault: true,
    cell: (job, { shortSec }) => (
      <>
        <JobState state={job.state} />
        {job.state !== "running" && job.duration < shortSec && (
          <>
            {" "}
            <span class="tag">short</span>
          </>
        )}
      </>
    ),
  },
  {
    key: "start",
    title: "started",
    sort: "startTime",
    isDefault: true,
    cell: (job) => <Ago sec={job.startTime} />,
  },
  {
    key: "duration",
    title: "duration",
    sort: "duration",
    isDefault: true,
    cell: (job) => <Walltime job={job} />,
  },
  {
    key: "nodes",
    title: "nodes",
    sort: "numNodes",
    isNumber: true,
    isDefault: true,
    cell: (job) => formatCount(job.numNodes),
  },
  {
    key: "cores",
    title: "threads",
    sort: "numHwthreads",
    isNumber: true,
    cell: (job) => job.numHwthreads > 0 ? formatCount(job.numHwthreads) : "–",
  },
  {
    key: "gpus",
    title: "GPUs",
    sort: "numAcc",
    isNumber: true,
    cell: (job) => job.numAcc > 0 ? formatCount(job.numAcc) : "–",
  },
  {
    key: "energy",
    title: "energy",
    sort: "energy",
    isNumber: true,
    cell: (job) => formatEnergy(job.energy),
  },
  {
    key: "footprint",
    title: "footprint",
    isDefault: true,
    cell: (job) => (
      <SmallPrints
        footprint={job.footprint}
        metrics={metricsOf(job.cluster, job.subCluster)}
      />
    ),
  },
  {
    key: "tags",
    title: "tags",
    isDefault: true,
    cell: (job) =>
      job.tags.slice(0, 3).map((tag) => (
        <span
          class="tag"
          key={tag.id}
          title={visible(`${tag.type}:${tag.name}`)}
        >
          {visible(`${tag.type}:${tag.name}`)}
        </span>
      )),
  },
  {
    key: "note",
    title: "note",
    cell: (job) => <Name text={job.note} none="" most={40} />,
  },
];

/** Keys of the columns to show, out of the URL; unknown ones are left out. */
export function columnsOf(cols: string | null): string[] {
  const wanted = cols?.split(",");
  return COLUMNS
    .filter(({ key, isDefault }) => wanted?.includes(key) ?? isDefault ?? false)
    .map(({ key }) => key);
}

interface JobTableProps {
  readonly jobs: readonly JobRowAnswer[];
  readonly users: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly sort: string;
  readonly order: "asc" | "desc";
  readonly selected: ReadonlySet<number>;
  readonly onSelect: (selected: ReadonlySet<number>) => void;
}

export function JobTable(props: JobTableProps): JSX.Element {
  const { jobs, users, selected, onSelect } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  useRowKeys(body, (id) => onSelect(toggled(selected, id)));
  const context = { users, shortSec: session.value?.limits.shortJobSec ?? 0 };
  const columns = COLUMNS.filter(({ key }) => props.columns.includes(key));
  const isAll = jobs.length > 0 && jobs.every(({ id }) => selected.has(id));
  return (
    <div
      class="table-frame jobs-table"
      tabIndex={0}
      role="region"
      aria-label="Jobs"
    >
      <table>
        <thead>
          <tr>
            <th scope="col" class="pin-left">
              <input
                type="checkbox"
                aria-label="Select all of this page"
                checked={isAll}
                onChange={() =>
                  onSelect(
                    isAll ? new Set() : new Set(jobs.map(({ id }) => id)),
                  )}
              />
              id
            </th>
            {columns.map((column) => (
              <Header
                key={column.key}
                column={column}
                sort={props.sort}
                order={props.order}
              />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {jobs.map((job) => (
            <tr
              key={job.id}
              data-id={job.id}
              aria-selected={selected.has(job.id)}
            >
              <th scope="row">
                <input
                  type="checkbox"
                  aria-label={`Select job ${job.jobId}`}
                  checked={selected.has(job.id)}
                  onChange={() => onSelect(toggled(selected, job.id))}
                />
                <a href={jobPath(job.id)}>{job.jobId}</a>
              </th>
              {columns.map(({ key, title, isNumber, cell }) => (
                <td
                  key={key}
                  class={isNumber ? "number" : undefined}
                  data-title={title}
                >
                  {cell(job, context)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Header(
  { column, sort, order }: {
    column: Column;
    sort: string;
    order: "asc" | "desc";
  },
): JSX.Element {
  const isSorted = column.sort !== undefined && column.sort === sort;
  const next = isSorted && order === "desc" ? "asc" : "desc";
  const turn = () =>
    go(withQuery({
      sort: column.sort === "startTime" && next === "desc"
        ? undefined
        : column.sort,
      order: next === "desc" ? undefined : next,
      after: undefined,
      before: undefined,
    }));
  return (
    <th
      scope="col"
      class={column.isNumber ? "number" : undefined}
      aria-sort={isSorted
        ? order === "asc" ? "ascending" : "descending"
        : undefined}
    >
      {column.sort === undefined
        ? column.title
        : (
          <button type="button" onClick={turn}>
            {column.title}
            <span aria-hidden="true">
              {isSorted ? order === "asc" ? "▲" : "▼" : ""}
            </span>
          </button>
        )}
    </th>
  );
}

function toggled(selected: ReadonlySet<number>, id: number): Set<number> {
  const next = new Set(selected);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** `j` and `k` go through the rows, `x` selects; Enter is the link's own. */
function useRowKeys(
  body: { current: HTMLTableSectionElement | null },
  toggle: (id: number) => void,
): void {
  const latest = useRef(toggle);
  latest.current = toggle;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!setting("web.keys") || event.ctrlKey || event.metaKey) return;
      const target = event.target as HTMLElement;
      const isBox = target instanceof HTMLInputElement &&
        target.type === "checkbox";
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && !isBox) return;
      const rows = [...body.current?.querySelectorAll("tr") ?? []];
      const now = rows.findIndex((row) => row.contains(document.activeElement));
      if (event.key === "j" || event.key === "k") {
        const next = rows[now + (event.key === "j" ? 1 : -1)] ?? rows[now] ??
          rows[0];
        next?.querySelector("a")?.focus();
        next?.scrollIntoView({ block: "nearest" });
        event.preventDefault();
      } else if (event.key === "x" && now >= 0) {
        latest.current(Number(rows[now]?.dataset.id));
        event.preventDefault();
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
