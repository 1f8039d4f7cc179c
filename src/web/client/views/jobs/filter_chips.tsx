/** The filters in force as chips, each of which can be taken away. */
import type { JSX } from "preact";
import { formatMoment, formatSpan } from "../../../shared/times.ts";
import { Icon } from "../../icons.tsx";
import { visible } from "../../parts/text.tsx";
import { go, place, withQuery } from "../../router.ts";
import { zone } from "../../state/session.ts";
import { parseJobFilter } from "../../../shared/job_filter_url.ts";

const TITLES: Readonly<Record<string, string>> = {
  jobId: "job id",
  arrayJobId: "array id",
  jobName: "name",
  startTime: "started",
  numNodes: "nodes",
  numHWThreads: "threads",
  numAccelerators: "GPUs",
  subCluster: "sub-cluster",
};
/** They say how another parameter is meant. */
const MODES: Readonly<Record<string, string>> = {
  user: "userMatch",
  project: "projectMatch",
  node: "nodeMatch",
  jobId: "jobIdMatch",
};
const RANGES: Readonly<Record<string, string>> = {
  last6h: "in the last 6 hours",
  last24h: "in the last 24 hours",
  last7d: "in the last 7 days",
  last30d: "in the last 30 days",
};

interface Chip {
  readonly key: string;
  readonly value: string;
  readonly text: string;
}

export function FilterChips(
  { search, isOpen, onOpen }: {
    search: URLSearchParams;
    isOpen: boolean;
    onOpen: () => void;
  },
): JSX.Element {
  const isMode = (key: string) => Object.values(MODES).includes(key);
  const chips = [...search].filter(([key]) => !isMode(key)).map(
    ([key, value]) => ({ key, value, text: chipText(search, key, value) }),
  );
  const { problems } = parseJobFilter(search);
  return (
    <>
      <div class="chips" role="group" aria-label="Filters">
        {chips.map((chip) => (
          <ChipView key={chip.key + chip.value} chip={chip} />
        ))}
        <button type="button" aria-expanded={isOpen} onClick={onOpen}>
          <Icon name={isOpen ? "close" : "plus"} size={14} />
          Filter
        </button>
        {chips.length > 1 && (
          <a href="/monitoring/jobs/" class="small">clear all</a>
        )}
      </div>
      {problems.map(({ key, message }) => (
        <p class="alert" role="alert" key={key}>{key}: {visible(message)}</p>
      ))}
    </>
  );
}

function ChipView({ chip }: { chip: Chip }): JSX.Element {
  const { key, value, text } = chip;
  const remove = () => {
    const left = place.peek().search.getAll(key).filter((one) => one !== value);
    const mode = MODES[key];
    go(withQuery({
      [key]: left,
      ...(left.length === 0 && mode !== undefined ? { [mode]: undefined } : {}),
      after: undefined,
      before: undefined,
    }));
  };
  return (
    <span class="chip">
      <span class="cut">{text}</span>
      <button type="button" aria-label={`Take away: ${text}`} onClick={remove}>
        <Icon name="close" size={14} />
      </button>
    </span>
  );
}

function chipText(search: URLSearchParams, key: string, value: string): string {
  const mode = MODES[key];
  const contains = mode !== undefined && search.get(mode) === "contains";
  const title = TITLES[key] ?? key;
  if (key === "short") {
    return value === "only" ? "short jobs only" : "without short jobs";
  }
  if (key === "startTime") return `${title} ${startText(value)}`;
  if (key === "duration") {
    return `${title} ${rangeText(value, (n) => formatSpan(Number(n)))}`;
  }
  if (/^num|energy/.test(key)) return `${title} ${rangeText(value, (n) => n)}`;
  return visible(`${title}${contains ? " contains" : ":"} ${value}`).slice(
    0,
    120,
  );
}

function startText(value: string): string {
  const named = RANGES[value];
  if (named !== undefined) return named;
  return rangeText(value, (sec) => formatMoment(Number(sec), zone.value));
}

/** `a-b`, `lessthan-b` and `morethan-a` in words. */
function rangeText(value: string, write: (number: string) => string): string {
  const [low = "", high = ""] = value.split("-");
  if (low === "lessthan") return `at most ${write(high)}`;
  if (low === "morethan") return `at least ${write(high)}`;
  return low === high ? write(low) : `${write(low)} to ${write(high)}`;
}
