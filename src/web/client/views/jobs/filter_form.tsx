/** All filters as a form. It writes the parameters that links and bookmarks have, too. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { TagsAnswer } from "../../../shared/answers.ts";
import {
  JOB_STATE_NAMES,
  START_RANGES,
} from "../../../shared/job_filter_url.ts";
import { parseSpan } from "../../../shared/times.ts";
import { getJson } from "../../api.ts";
import { go, withQuery } from "../../router.ts";
import { useAnswer } from "../../state/answer.ts";
import { clusters, isStaff } from "../../state/session.ts";
import { visible } from "../../parts/text.tsx";

const RANGE_WORDS: Readonly<Record<string, string>> = {
  last6h: "last 6 hours",
  last24h: "last 24 hours",
  last7d: "last 7 days",
  last30d: "last 30 days",
};
/** Numbers that are filtered by a range, and how they are read. */
const NUMBERS = [
  ["duration", "Duration (like 90s, 5m, 2h, 3d)"],
  ["numNodes", "Nodes"],
  ["numHWThreads", "Hardware threads"],
  ["numAccelerators", "Accelerators"],
  ["energy", "Energy, kWh"],
] as const;

export function FilterForm(
  { search, onDone }: { search: URLSearchParams; onDone: () => void },
): JSX.Element {
  const [problem, setProblem] = useState("");
  const tags = useAnswer("tags", () => getJson<TagsAnswer>("tags"));
  const cluster = search.get("cluster") ?? "";
  const known = clusters.value.find(({ name }) => name === cluster) ??
    clusters.value[0];
  const prints = (known?.metricConfig ?? []).filter(({ footprint }) =>
    footprint !== undefined && footprint !== ""
  );
  const stat = /^(.+)-(lessthan|morethan|[\d.]+)-([\d.]+)$/.exec(
    search.get("stat") ?? "",
  );
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "").trim();
    const all = (name: string) => fields.getAll(name).map(String);
    const patch: Record<string, string | string[] | undefined> = {
      state: all("state"),
      tag: all("tag").filter((id) => id !== ""),
      after: undefined,
      before: undefined,
    };
    for (
      const key of [
        "cluster",
        "subCluster",
        "partition",
        "jobName",
        "arrayJobId",
        "short",
      ]
    ) {
      patch[key] = text(key);
    }
    for (const key of ["user", "project", "node"]) {
      patch[key] = text(key);
      patch[`${key}Match`] = text(key) === "" ? undefined : text(`${key}Match`);
    }
    const ids = text("jobId").split(/[\s,]+/).filter((id) => id !== "");
    patch.jobId = ids;
    patch.jobIdMatch = ids.length > 1 ? "in" : undefined;
    try {
      for (const [key] of NUMBERS) {
        const read = key === "duration" ? readSpan : readNumber;
        patch[key] = rangeOf(read(text(`${key}From`)), read(text(`${key}To`)));
      }
      const limits = rangeOf(
        readNumber(text("statFrom")),
        readNumber(text("statTo")),
      );
      patch.stat = text("statName") !== "" && limits !== undefined
        ? `${text("statName")}-${limits}`
        : undefined;
      patch.startTime = text("startRange") !== ""
        ? text("startRange")
        : rangeOf(readMoment(text("startFrom")), readMoment(text("startTo")));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : "");
      return;
    }
    go(withQuery(patch));
    onDone();
  };
  const start = search.get("startTime") ?? "";
  return (
    <form class="card section" aria-label="Filters" onSubmit={submit}>
      {problem !== "" && <p class="alert" role="alert">{problem}</p>}
      <div class="filter-form">
        <label>
          State
          <select name="state" multiple size={3}>
            {JOB_STATE_NAMES.map((state) => (
              <option
                key={state}
                selected={search.getAll("state").includes(state)}
              >
                {state}
              </option>
            ))}
          </select>
        </label>
        <label>
          Cluster
          <select name="cluster" value={cluster}>
            <option value="">any</option>
            {clusters.value.map(({ name }) => <option key={name}>{name}
            </option>)}
          </select>
        </label>
        <Text name="subCluster" title="Sub-cluster" search={search} />
        <Text name="partition" title="Partition" search={search} />
        {isStaff.value && (
          <Match name="user" title="User" search={search} usual="contains" />
        )}
        <Match name="project" title="Project" search={search} usual="eq" />
        <Match name="node" title="Node" search={search} usual="eq" />
        <Text name="jobName" title="Job name contains" search={search} />
        <label>
          Job ids
          <input
            name="jobId"
            defaultValue={search.getAll("jobId").join(", ")}
          />
        </label>
        <Text name="arrayJobId" title="Array id" search={search} />
        <label>
          Started
          <select name="startRange">
            <option value="">any time, or:</option>
            {START_RANGES.map((range) => (
              <option key={range} value={range} selected={start === range}>
                {RANGE_WORDS[range]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Started from
          <input name="startFrom" type="datetime-local" />
        </label>
        <label>
          Started until
          <input name="startTo" type="datetime-local" />
        </label>
        {NUMBERS.map(([key, title]) => (
          <Range
            key={key}
            name={key}
            title={title}
            value={search.get(key) ?? ""}
          />
        ))}
        {prints.length > 0 && (
          <fieldset>
            <legend>Footprint</legend>
            <select name="statName" aria-label="Footprint of">
              <option value="">any</option>
              {prints.map(({ name, footprint }) => {
                const key = `${name}_${footprint}`;
                return (
                  <option key={key} value={key} selected={stat?.[1] === key}>
                    {name}
                  </option>
                );
              })}
            </select>
            <span class="pair">
              <input
                name="statFrom"
                inputMode="decimal"
                placeholder="from"
                aria-label="Footprint from"
              />
              <input
                name="statTo"
                inputMode="decimal"
                placeholder="to"
                aria-label="Footprint to"
              />
            </span>
          </fieldset>
        )}
        <label>
          Tag
          <select name="tag" multiple size={3}>
            {(tags.value?.tags ?? []).map(({ id, type, name }) => (
              <option
                key={id}
                value={id}
                selected={search.getAll("tag").includes(String(id))}
              >
                {visible(`${type}: ${name}`).slice(0, 60)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Short jobs
          <select name="short">
            <option value="">shown</option>
            <option value="hide" selected={search.get("short") === "hide"}>
              hidden
            </option>
            <option value="only" selected={search.get("short") === "only"}>
              only these
            </option>
          </select>
        </label>
      </div>
      <div class="row">
        <button type="submit" class="primary">Show</button>
        <button type="button" onClick={onDone}>Cancel</button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly title: string;
  readonly search: URLSearchParams;
}

function Text({ name, title, search }: FieldProps): JSX.Element {
  return (
    <label>
      {title}
      <input name={name} defaultValue={search.get(name) ?? ""} />
    </label>
  );
}

function Match(
  { name, title, search, usual }: FieldProps & { usual: "eq" | "contains" },
): JSX.Element {
  const mode = search.get(`${name}Match`) ?? usual;
  return (
    <fieldset>
      <legend>{title}</legend>
      <span class="pair">
        <select name={`${name}Match`} aria-label={`${title}: how`}>
          <option value="eq" selected={mode === "eq"}>is</option>
          <option value="contains" selected={mode === "contains"}>
            contains
          </option>
        </select>
        <input
          name={name}
          aria-label={title}
          defaultValue={search.get(name) ?? ""}
        />
      </span>
    </fieldset>
  );
}

function Range(
  { name, title, value }: { name: string; title: string; value: string },
): JSX.Element {
  const [low = "", high = ""] = value.split("-");
  const from = low === "lessthan" ? "" : low === "morethan" ? high : low;
  const to = low === "morethan" ? "" : high;
  return (
    <fieldset>
      <legend>{title}</legend>
      <span class="pair">
        <input
          name={`${name}From`}
          placeholder="from"
          aria-label={`${title} from`}
          defaultValue={from}
        />
        <input
          name={`${name}To`}
          placeholder="to"
          aria-label={`${title} to`}
          defaultValue={to}
        />
      </span>
    </fieldset>
  );
}

function rangeOf(
  from: number | undefined,
  to: number | undefined,
): string | undefined {
  if (from !== undefined && to !== undefined) {
    if (from > to) {
      throw new Error(`From ${from} to ${to}: the first is larger.`);
    }
    return `${from}-${to}`;
  }
  if (from !== undefined) return `morethan-${from}`;
  return to === undefined ? undefined : `lessthan-${to}`;
}

function readNumber(text: string): number | undefined {
  if (text === "") return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new Error(`${text} is no number of 0 or more.`);
}

function readSpan(text: string): number | undefined {
  if (text === "") return undefined;
  const span = parseSpan(text);
  if (span !== undefined) return span;
  throw new Error(`${text} is no duration: write 90s, 5m, 2h, 3d or 1:30.`);
}

/** The fields of browsers are in the zone of the machine. */
function readMoment(text: string): number | undefined {
  if (text === "") return undefined;
  const sec = Date.parse(text) / 1000;
  if (Number.isFinite(sec)) return Math.floor(sec);
  throw new Error(`${text} is no time.`);
}
