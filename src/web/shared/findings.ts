/**
 * Finds what is odd about a job in its own numbers: nodes that do something else than
 * the others (web V6). A node is an outlier where its average lies more than five
 * median absolute deviations from the median of all nodes (Iglewicz and Hoaglin 1993,
 * with the deviation scaled by 1.4826 to that of a normal distribution). Pure.
 */

/** A host and what it measured on average. */
export interface HostAverage {
  readonly host: string;
  readonly avg: number;
}

export interface Finding {
  readonly metric: string;
  readonly side: "below" | "above";
  /** Whether all of them are below half of the median, or above its double. */
  readonly isFar: boolean;
  readonly median: number;
  /** The worst first. */
  readonly hosts: readonly string[];
  /** The number of all its nodes. */
  readonly of: number;
}

const SCORE = 5;
const NORMAL = 1.4826;
/** With fewer nodes nobody can say which of them is odd. */
const NODES_MIN = 4;
/** Deviations smaller than this share of the median are noise. */
const NOISE = 0.04;
/** More of them than this share are no outliers but two kinds of nodes. */
const SHARE_MAX = 0.25;

export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Outliers of one metric, those below and those above apart; empty: none. */
export function findOutliers(
  metric: string,
  averages: readonly HostAverage[],
): Finding[] {
  const known = averages.filter(({ avg }) => Number.isFinite(avg));
  if (known.length < NODES_MIN) return [];
  const sorted = (numbers: number[]) => numbers.sort((a, b) => a - b);
  const middle = median(sorted(known.map(({ avg }) => avg)));
  const deviation = median(
    sorted(known.map(({ avg }) => Math.abs(avg - middle))),
  );
  const unit = Math.max(NORMAL * deviation, NOISE * Math.abs(middle));
  if (unit === 0) return [];
  return (["below", "above"] as const).flatMap((side) => {
    const sign = side === "below" ? -1 : 1;
    const found = known
      .filter(({ avg }) => (sign * (avg - middle)) / unit > SCORE)
      .sort((a, b) => sign * (b.avg - a.avg));
    if (found.length === 0 || found.length > SHARE_MAX * known.length) {
      return [];
    }
    const isFar = found.every(({ avg }) =>
      side === "below" ? avg < middle / 2 : avg > middle * 2
    );
    return [{
      metric,
      side,
      isFar,
      median: middle,
      hosts: found.map(({ host }) => host),
      of: known.length,
    }];
  });
}

/** The finding in words, without the names of the nodes. */
export function findingText(finding: Finding): string {
  const { metric, side, isFar, hosts, of } = finding;
  const where = isFar
    ? side === "below" ? "below half of" : "above twice"
    : `far ${side}`;
  return `${hosts.length} of ${of} nodes ${where} the median of ${metric}`;
}

/**
 * Index from which on a node stayed odd: the step after the last one at which it was
 * as the others (between half and the double of their mean). -1: it is not odd now.
 */
export function oddSince(
  values: ArrayLike<number>,
  mean: ArrayLike<number>,
): number {
  const length = Math.min(values.length, mean.length);
  for (let i = length - 1; i >= 0; i--) {
    const [value, others] = [values[i]!, mean[i]!];
    if (value !== value || others !== others) continue;
    if (value >= others / 2 && value <= others * 2) {
      return i === length - 1 ? -1 : i + 1;
    }
  }
  return 0;
}
