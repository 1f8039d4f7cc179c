/** Sums and means over windows. Any thread. */
import { meanOf, sumOf } from "./window_aggregates.ts";
import { reducing } from "./window.ts";

export const sumKernel = reducing(({ values, low, high }) =>
  sumOf(values, low, high)
);
export const meanKernel = reducing(({ values, low, high }) =>
  meanOf(values, low, high)
);
