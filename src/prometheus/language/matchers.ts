/** Matchers as tests of values. Any thread. */
import type { LabelMatcher } from "./ast.ts";
import {
  type CompilePattern,
  compilePattern,
  type ValueTest,
} from "../../base/pattern.ts";

/** Whether a value of the label matches; a label that is absent is "". Throws a `SyntaxError`. */
export function compileMatcher(
  matcher: LabelMatcher,
  compile: CompilePattern = compilePattern,
): ValueTest {
  const wanted = matcher.value;
  switch (matcher.type) {
    case "=":
      return (value) => value === wanted;
    case "!=":
      return (value) => value !== wanted;
    case "=~":
      return compile(wanted);
    case "!~": {
      const matches = compile(wanted);
      return (value) => !matches(value);
    }
  }
}
