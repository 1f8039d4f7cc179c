/** The numbers of a plot as a table: what it shows, for who cannot or does not look. */
import type { JSX } from "preact";
import { formatNumber, scaleFor } from "../../shared/quantities.ts";
import { formatMoment } from "../../shared/times.ts";
import { zone } from "../state/session.ts";
import {
  largest,
  momentsOf,
  type PlotData,
  seriesName,
  valueAt,
} from "./plot_data.ts";

const ROWS_MAX = 60;
const COLUMNS_MAX = 16;

export function PlotTable(
  { data, from, to }: { data: PlotData; from: number; to: number },
): JSX.Element {
  const inView = momentsOf(data).filter((sec) => sec >= from && sec <= to);
  const every = Math.max(1, Math.ceil(inView.length / ROWS_MAX));
  const rows = inView.filter((_, index) => index % every === 0);
  const columns = data.series.slice(0, COLUMNS_MAX);
  const left = data.series.length - columns.length;
  const scale = scaleFor(largest(columns), data.unit);
  return (
    <div
      class="table-frame plot-table"
      tabIndex={0}
      role="region"
      aria-label={`Values of ${data.metric}`}
    >
      <table>
        <caption class="small muted">
          {scale.unit === "" ? "" : `in ${scale.unit}`}
          {every > 1 ? `, every ${every}th step` : ""}
          {left > 0 ? `, ${left} more series in the download` : ""}
        </caption>
        <thead>
          <tr>
            <th scope="col">time</th>
            {columns.map((one, index) => (
              <th scope="col" class="number" key={index}>
                {one.part ?? seriesName(one, data.scope)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((sec) => (
            <tr key={sec}>
              <th scope="row">{formatMoment(sec, zone.value)}</th>
              {columns.map((one, index) => (
                <td class="number" key={index}>
                  {formatNumber(valueAt(one, sec) * scale.factor)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
