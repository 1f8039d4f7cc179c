/** The parser: what is read, what is refused, with which words and where. */
import assert from "node:assert/strict";
import { type Expr, typeOf, type ValueType } from "./ast.ts";
import { PromqlParseError } from "./parse_error.ts";
import { parseExpr, parseMetricSelector } from "./parser.ts";
import { printExpr } from "./printer.ts";

function failure(query: string): string {
  try {
    parseExpr(query);
  } catch (error) {
    if (error instanceof PromqlParseError) return error.message;
    throw error;
  }
  return assert.fail(`${query} is read`);
}

Deno.test("parseExpr() binds operators by precedence", () => {
  // Each query beside what it means, with all parentheses.
  const cases: [query: string, meaning: string][] = [
    ["a or b and c", "a or (b and c)"],
    ["a unless b or c", "(a unless b) or c"],
    ["a == b + c", "a == (b + c)"],
    ["a - b - c", "(a - b) - c"],
    ["a + b * c % d", "a + ((b * c) % d)"],
    ["a atan2 b * c", "(a atan2 b) * c"],
    ["a ^ b ^ c", "a ^ (b ^ c)"],
    ["-a ^ b", "-(a ^ b)"],
    ["-a * b", "(-a) * b"],
    ["a * -b ^ 2", "a * (-(b ^ 2))"],
    ["a > b == c", "(a > b) == c"],
    ["a </ 1 >/ 2", "(a </ 1) >/ 2"],
  ];
  for (const [query, meaning] of cases) {
    assert.deepEqual(shape(parseExpr(query)), shape(parseExpr(meaning)), query);
  }
});

/** The tree without parentheses and positions. */
function shape(expr: Expr): unknown {
  if (expr.kind === "paren") return shape(expr.expr);
  if (expr.kind === "unary") return [expr.operator, shape(expr.expr)];
  if (expr.kind === "binary") {
    return [shape(expr.left), expr.operator, shape(expr.right)];
  }
  return printExpr(expr);
}

Deno.test("parseExpr() reads every form and prints it canonically", () => {
  const cases: [query: string, printed: string][] = [
    ["1", "1"],
    [".5", "0.5"],
    ["5.", "5"],
    ["1e3", "1000"],
    ["1_000", "1000"],
    ["0x1f", "31"],
    ["0X_f", "15"],
    ["017", "15"],
    ["-Inf", "-Inf"],
    ["nAn", "NaN"],
    ["5m", "5m"],
    ["90s", "1m30s"],
    ["-1w", "-1w"],
    [`"a\\tb"`, `"a\\tb"`],
    [`'it'`, `"it"`],
    ["`a\\b`", `"a\\\\b"`],
    [`'\\x41\\u00e4\\101'`, `"AäA"`],
    ["up", "up"],
    ["sum", "sum"],
    ["by{on='x'}", `by{on="x"}`],
    ["a:b:c", "a:b:c"],
    ["{a='b',}", `{a="b"}`],
    ["x{b!='1', a=~'2|3', c!~'4'}", `x{a=~"2|3",b!="1",c!~"4"}`],
    [
      `{"metric.name", "label.name"='v'}`,
      `{"label.name"="v",__name__="metric.name"}`,
    ],
    ["x[5m]", "x[5m]"],
    ["x [ 5m ] offset -1h", "x[5m] offset -1h"],
    ["x offset 1h @ 10", "x @ 10.000 offset 1h"],
    ["x @ start() offset 1h", "x @ start() offset 1h"],
    ["x @ -1.5", "x @ -1.500"],
    ["x[5m:]", "x[5m:]"],
    ["rate(x[1m])[1h:30s] @ end()", "rate(x[1m])[1h:30s] @ end()"],
    ["x[step() * 2]", "x[step() * 2]"],
    [
      "x[max_of(1m, step())] offset -(range() / 2)",
      "x[max_of(1m, step())] offset -(range() / 2)",
    ],
    ["x anchored", "x anchored"],
    ["rate(x[5m] smoothed)", "rate(x[5m] smoothed)"],
    ["SUM BY (a, b) (x)", "sum by (a, b) (x)"],
    ["sum(x) without (a)", "sum without (a) (x)"],
    ["sum by () (x)", "sum(x)"],
    ["topk(3, x)", "topk(3, x)"],
    [`count_values("v", x) by ("a b")`, `count_values by ("a b") ("v", x)`],
    ["a + on(b) group_left c", "a + on (b) group_left () c"],
    ["a / ignoring(b) group_right(d) c", "a / ignoring (b) group_right (d) c"],
    ["a == bool b", "a == bool b"],
    ["a + fill(0) b", "a + fill (0) b"],
    [
      "a + fill_left(-1) fill_right(2) b",
      "a + fill_left (-1) fill_right (2) b",
    ],
    ["# a remark\nx # another", "x"],
    ["(x)", "(x)"],
    ["- - x", "--x"],
    ["time()", "time()"],
    ["label_join(x, 'a', '-', 'b', 'c')", `label_join(x, "a", "-", "b", "c")`],
  ];
  for (const [query, printed] of cases) {
    assert.equal(printExpr(parseExpr(query)), printed, query);
    assert.equal(printExpr(parseExpr(printed)), printed, printed);
  }
});

Deno.test("parseExpr() says what is wrong and where", () => {
  const cases: [query: string, message: string][] = [
    ["  ", "1:1: parse error: no expression found in input"],
    ["1 +", "1:4: parse error: unexpected end of input"],
    ["x +\n\n* y", "3:1: parse error: unexpected <op:*>"],
    ["ä", `1:1: parse error: unexpected character: 'ä'`],
    // Columns are bytes.
    [`{a="ä"} +`, "1:11: parse error: unexpected end of input"],
    ["x y", `1:3: parse error: unexpected identifier "y"`],
    ["sum(x y)", `1:7: parse error: unexpected identifier "y" in aggregation`],
    ["(x", "1:3: parse error: unclosed left parenthesis"],
    ["x)", "1:3: parse error: unexpected right parenthesis ')'"],
    ["x[5m", "1:5: parse error: unclosed left bracket"],
    ["x]", "1:3: parse error: unexpected right bracket ']'"],
    ["{a=", "1:4: parse error: unexpected end of input inside braces"],
    [
      "{a 'b'}",
      `1:4: parse error: unexpected string "'b'" in label matching, expected label matching operator`,
    ],
    ["{a=1}", "1:4: parse error: unexpected character inside braces: '1'"],
    [
      "{a='1' b='2'}",
      `1:8: parse error: unexpected identifier "b" in label matching, expected "," or "}"`,
    ],
    [
      "{a=~'['}",
      "1:2: parse error: error parsing regexp: missing closing ]: `[`",
    ],
    [
      "{}",
      "1:1: parse error: vector selector must contain at least one non-empty matcher",
    ],
    [
      "{a=~'.*'}",
      "1:1: parse error: vector selector must contain at least one non-empty matcher",
    ],
    [
      "x{__name__='y'}",
      `1:1: parse error: metric name must not be set twice: "x" or "y"`,
    ],
    ["x[0s]", "1:3: parse error: duration must be greater than 0"],
    ["x[1m1m]", `1:3: parse error: not a valid duration string: "1m1m"`],
    ["x[1hs]", `1:3: parse error: unknown unit "hs" in duration "1hs"`],
    [
      "x[5m 5m]",
      `1:6: parse error: unexpected duration "5m" in subquery or range, expected ":" or "]"`,
    ],
    ["x[1m / 0]", "1:6: parse error: division by zero"],
    ["1[5m]", "1:2: parse error: ranges only allowed for vector selectors"],
    [
      "x offset 1m[5m]",
      "1:12: parse error: no offset modifiers allowed before range",
    ],
    ["x @ 1 [5m]", "1:7: parse error: no @ modifiers allowed before range"],
    [
      "x offset",
      "1:9: parse error: unexpected end of input in offset, " +
      "expected number, duration, step(), or range()",
    ],
    [
      "x offset 1m offset 1m",
      "1:1: parse error: offset may not be set multiple times",
    ],
    [
      "x @ 1 @ 2",
      "1:1: parse error: @ <timestamp> may not be set multiple times",
    ],
    [
      "x @ inf",
      "1:1: parse error: timestamp out of bounds for @ modifier: +Inf",
    ],
    [
      "1 offset 1m",
      "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ],
    [
      "x[5m] anchored smoothed",
      "1:1: parse error: anchored and smoothed modifiers cannot be used together",
    ],
    [
      "x[5m:] smoothed",
      "1:1: parse error: smoothed modifier is not supported for subqueries",
    ],
    ["nope(x)", `1:1: parse error: unknown function with name "nope"`],
    [
      "rate(x)",
      `1:6: parse error: expected type range vector in call to function "rate", got instant vector`,
    ],
    [
      "time(1)",
      `1:1: parse error: expected 0 argument(s) in call to "time", got 1`,
    ],
    [
      "round()",
      `1:1: parse error: expected at least 1 argument(s) in call to "round", got 0`,
    ],
    [
      "round(x, 1, 2)",
      `1:1: parse error: expected at most 2 argument(s) in call to "round", got 3`,
    ],
    [
      "abs(x,)",
      "1:6: parse error: trailing commas not allowed in function call args",
    ],
    [
      "sum()",
      "1:1: parse error: no arguments for aggregate expression provided",
    ],
    [
      "topk(x)",
      "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
    ],
    [
      "topk('1', x)",
      "1:6: parse error: expected type scalar in aggregation parameter, got string",
    ],
    [
      "sum(1)",
      "1:5: parse error: expected type instant vector in aggregation expression, got scalar",
    ],
    [
      "sum by a (x)",
      `1:8: parse error: unexpected identifier "a" in grouping opts, expected "("`,
    ],
    [
      "1 == 1",
      "1:3: parse error: comparisons between scalars must use BOOL modifier",
    ],
    [
      "x + bool y",
      "1:3: parse error: bool modifier can only be used on comparison operators",
    ],
    [
      "1 and x",
      `1:1: parse error: set operator "and" not allowed in binary scalar expression`,
    ],
    [
      "x and on(a) group_left y",
      `1:1: parse error: no grouping allowed for "and" operation`,
    ],
    [
      "x + on(a) group_left(a) y",
      `1:3: parse error: label "a" must not occur in ON and GROUP clause at once`,
    ],
    [
      "x + on(a) 1",
      "1:1: parse error: vector matching only allowed between instant vectors",
    ],
    [
      "x + fill(1) 1",
      "1:1: parse error: filling in missing series only allowed between instant vectors",
    ],
    [
      "-'a'",
      `1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"`,
    ],
    [
      "x[5m] + 1",
      "1:1: parse error: binary expression must contain only scalar and instant vector types",
    ],
    [
      "x[5m][5m:]",
      "1:1: parse error: subquery is only allowed on instant vector, got matrix instead",
    ],
    [`"abc`, "1:1: parse error: unterminated quoted string"],
    [`"\\q"`, "1:1: parse error: unknown escape sequence U+0071 'q'"],
    ["1.2.3", `1:1: parse error: bad number or duration syntax: "1.2."`],
    ["x !~ y", "1:3: parse error: unexpected character after '!': '~'"],
    [
      "info(x, y)",
      "1:9: parse error: expected label selectors only, got vector selector instead",
    ],
  ];
  for (const [query, message] of cases) {
    assert.equal(failure(query), message, query);
  }
});

Deno.test("parseExpr() bounds length, nesting and operators", () => {
  const deep = `${"(".repeat(300)}x${")".repeat(300)}`;
  assert.match(failure(deep), /nested more than 250 times/);
  assert.match(failure(`${"-".repeat(300)}x`), /nested more than 250 times/);
  const chain = `x${" + x".repeat(1001)}`;
  assert.match(failure(chain), /more than 1000 operators/);
  assert.equal(typeOf(parseExpr(`x${" + x".repeat(1000)}`)), "vector");
  assert.match(failure(`x{a="${"b".repeat(70_000)}"}`), /longer than 65536/);
  assert.match(
    failure(`x[${"(".repeat(200)}5m${")".repeat(200)}]`),
    /nested more than 100 times/,
  );
});

Deno.test("parseExpr() knows the type of every expression", () => {
  const cases: [query: string, type: ValueType][] = [
    ["1 + 1", "scalar"],
    ["-1", "scalar"],
    ["'a'", "string"],
    ["x", "vector"],
    ["x > 1", "vector"],
    ["(x[5m])", "matrix"],
    ["x[5m:]", "matrix"],
    ["scalar(x)", "scalar"],
    ["sum(x)", "vector"],
  ];
  for (const [query, type] of cases) {
    assert.equal(typeOf(parseExpr(query)), type, query);
  }
});

Deno.test("parseMetricSelector() takes a selector alone", () => {
  const selector = parseMetricSelector(`x{a="b",}`);
  assert.deepEqual(selector?.matchers, [
    { type: "=", name: "a", value: "b" },
    { type: "=", name: "__name__", value: "x" },
  ]);
  for (const query of ["x[5m]", "x offset 1m", "x @ 1", "sum(x)", "(x)"]) {
    assert.throws(() => parseMetricSelector(query), PromqlParseError, query);
  }
});
