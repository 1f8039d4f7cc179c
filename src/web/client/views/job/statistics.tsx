/** Minimum, average and maximum of each node and metric, as a table. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type {
  JobRowAnswer,
  StatisticsAnswer,
  StatisticsRow,
} from "../../../shared/answers.ts";
import { csvRow, fileName } from "../../../shared/csv.ts";
import { findOutliers } from "../../../shared/findings.ts";
import { formatScaled, scaleFor } from "../../../shared/quantities.ts";
import { getJson } from "../../api.ts";
import { Icon } from "../../icons.tsx";
import { Empty, Part } from "../../parts/part.tsx";
import { visible } from "../../parts/text.tsx";
import { go, place, withQuery } from "../../router.ts";
import { useAnswer } from "../../state/answer.ts";
import { saveFile } from "../jobs/export_buttons.tsx";

const SCOPES = [
  "node",
  "socket",
  "memoryDomain",
  "core",
  "hwthread",
  "accelerator",
];
const ROWS_MAX = 500;
const LIVE_SEC = 60;
type Metric = StatisticsAnswer["metrics"][number];

const COLUMNS = [["host", 0], ["id", 1], ["min", 2], ["avg", 3], [
  "max",
  4,
]] as const;

export function Statistics({ job }: { job: JobRowAnswer }): JSX.Element {
  const { search } = place.value;
  const scope = SCOPES.find((one) => one === search.get("scope")) ?? "node";
  const answer = useAnswer(
    `statistics ${job.id} ${scope} ${job.state}`,
    () => getJson<StatisticsAnswer>(`jobs/${job.id}/statistics?scope=${scope}`),
    job.state === "running" ? LIVE_SEC : undefined,
  );
  return (
    <>
      <div class="chips">
        <label class="row">
          scope
          <select
            value={scope}
            onChange={(event) =>
              go(withQuery({ scope: event.currentTarget.value }), {
                replace: true,
              })}
          >
            {SCOPES.filter((one) => one !== "accelerator" || job.numAcc > 0)
              .map((one) => <option key={one}>{one}</option>)}
          </select>
        </label>
        <button
          type="button"
          disabled={answer.value === undefined}
          onClick={() => answer.value && saveCsv(job, answer.value)}
        >
          <Icon name="download" size={16} />CSV
        </button>
      </div>
      <Part of={answer} height={500}>
        {({ metrics }) =>
          metrics.length === 0
            ? (
              <Empty>
                <strong>No statistics for this scope.</strong>
                <span>
                  No metric is measured as finely as that, or none has samples.
                </span>
              </Empty>
            )
            : (
              <OneMetric
                metrics={metrics}
                name={search.get("metric") ?? metrics[0]!.name}
              />
            )}
      </Part>
    </>
  );
}

function OneMetric(
  { metrics, name }: { metrics: readonly Metric[]; name: string },
): JSX.Element {
  const metric = metrics.find((one) => one.name === name) ?? metrics[0]!;
  const [[column, isDown], sortBy] = useState<[number, boolean]>([0, false]);
  const rows = [...metric.rows].sort((a, b) => {
    const order = compare(a, b, column);
    return isDown ? -order : order;
  });
  const odd = new Set(
    findOutliers(
      metric.name,
      metric.rows.map(([host, , , avg]) => ({ host, avg })),
    )
      .flatMap(({ hosts }) => hosts),
  );
  const scale = scaleFor(
    Math.max(0, ...metric.rows.map((row) => row[4] || 0)),
    metric.unit,
  );
  const hasIds = metric.rows.some(([, id]) => id !== "");
  const columns = COLUMNS.filter(([title]) => hasIds || title !== "id");
  return (
    <>
      <div class="chips" role="group" aria-label="Metric">
        {metrics.map((one) => (
          <button
            type="button"
            key={one.name}
            aria-pressed={one === metric}
            onClick={() =>
              go(withQuery({ metric: one.name }), { replace: true })}
          >
            {one.name}
          </button>
        ))}
      </div>
      <div
        class="table-frame tall"
        tabIndex={0}
        role="region"
        aria-label={`Statistics of ${metric.name}`}
      >
        <table>
          <thead>
            <tr>
              {columns.map(([title, at]) => (
                <th
                  scope="col"
                  key={title}
                  class={at > 1 ? "number" : undefined}
                  aria-sort={at === column
                    ? isDown ? "descending" : "ascending"
                    : undefined}
                >
                  <button
                    type="button"
                    onClick={() =>
                      sortBy([at, at === column ? !isDown : at > 1])}
                  >
                    {title}
                    {at > 1 && scale.unit !== "" && ` (${scale.unit})`}
                    <span aria-hidden="true">
                      {at === column ? isDown ? "▼" : "▲" : ""}
                    </span>
                  </button>
                </th>
              ))}
              <th scope="col">note</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS_MAX).map(([host, id, min, avg, max]) => (
              <tr key={`${host} ${id}`}>
                <th scope="row">{visible(host)}</th>
                {hasIds && <td>{visible(id)}</td>}
                <td class="number">{formatScaled(min, scale)}</td>
                <td class="number">{formatScaled(avg, scale)}</td>
                <td class="number">{formatScaled(max, scale)}</td>
                <td class="caution">
                  {odd.has(host) && "△ far from the others"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > ROWS_MAX && (
        <p class="small muted">
          The first {ROWS_MAX} of {rows.length} rows; CSV has all.
        </p>
      )}
    </>
  );
}

function compare(a: StatisticsRow, b: StatisticsRow, column: number): number {
  const [left, right] = [a[column]!, b[column]!];
  if (typeof left === "number" && typeof right === "number") {
    return (Number.isFinite(left) ? left : -Infinity) -
      (Number.isFinite(right) ? right : -Infinity);
  }
  return String(left).localeCompare(String(right), "en", { numeric: true });
}

function saveCsv(job: JobRowAnswer, { metrics }: StatisticsAnswer): void {
  const head = csvRow([
    "metric",
    "scope",
    "unit",
    "host",
    "id",
    "min",
    "avg",
    "max",
  ]);
  const lines = metrics.flatMap(({ name, scope, unit, rows }) =>
    rows.map((row) =>
      csvRow([name, scope, (unit.prefix ?? "") + unit.base, ...row])
    )
  );
  saveFile(
    fileName(`job_${job.jobId}_statistics.csv`),
    head + lines.join(""),
    "text/csv",
  );
}
