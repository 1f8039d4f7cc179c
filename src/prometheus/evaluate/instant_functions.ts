/** Functions of single values: each cell of an instant vector by itself. Any thread. */
import { dayFunctions } from "./date_functions.ts";
import { goMax, goMin } from "./go_math.ts";

/** A function of one number, by the name of the PromQL function. */
export const NUMBER_FUNCTIONS: Readonly<
  Record<string, (value: number) => number>
> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => value * 180 / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  rad: (value) => value * Math.PI / 180,
  sgn: (value) => value < 0 ? -1 : value > 0 ? 1 : value,
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
  ...dayFunctions,
};

/** Ties go up; the inverse is exact for more steps than the step itself. */
export function roundTo(value: number, nearest: number): number {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

export function clampTo(value: number, min: number, max: number): number {
  return goMax(min, goMin(max, value));
}
