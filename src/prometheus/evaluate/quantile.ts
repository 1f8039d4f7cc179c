/** Order statistics. Any thread. */

/**
 * The φ-quantile of sorted values (NaN first), linear between ranks. Below 0 it is
 * −Inf, above 1 +Inf, of nothing NaN.
 */
export function quantileOfSorted(
  phi: number,
  sorted: ArrayLike<number>,
  count: number = sorted.length,
): number {
  if (count === 0 || Number.isNaN(phi)) return NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  const rank = phi * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight;
}

/** Sorts ascending with NaN first. */
export function sortNaNFirst(values: Float64Array): void {
  values.sort();
  // Typed arrays sort NaN last.
  let numbers = values.length;
  while (numbers > 0 && Number.isNaN(values[numbers - 1]!)) numbers--;
  if (numbers === values.length) return;
  values.copyWithin(values.length - numbers, 0, numbers);
  values.fill(NaN, 0, values.length - numbers);
}
