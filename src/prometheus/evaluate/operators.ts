/** Binary operators on numbers. Any thread. */
import type {
  ArithmeticOperator,
  BinaryOperator,
  ComparisonOperator,
} from "../language/ast.ts";
import { modulo, power } from "./go_math.ts";

const ARITHMETIC: Readonly<
  Record<ArithmeticOperator, (left: number, right: number) => number>
> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": modulo,
  "^": power,
  "atan2": Math.atan2,
};

const COMPARISON: Readonly<
  Record<ComparisonOperator, (left: number, right: number) => boolean>
> = {
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

/** `undefined`: the operator compares, or combines sets. */
export function arithmeticOf(
  operator: BinaryOperator,
): ((left: number, right: number) => number) | undefined {
  return ARITHMETIC[operator as ArithmeticOperator];
}

export function comparisonOf(
  operator: BinaryOperator,
): ((left: number, right: number) => boolean) | undefined {
  return COMPARISON[operator as ComparisonOperator];
}
