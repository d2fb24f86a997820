// Expressions and what they come to, as rows; the compatibility kit's own cases are in test/cesql.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileExpression, evaluateExpression } from "./compile.ts";
import type { EvaluationErrorKind } from "./evaluation.ts";
import { filterFault } from "./filter-fault.ts";
import { EXPRESSION_LENGTH_MAX } from "./lexer.ts";
import { likeMatcher } from "./like.ts";
import { NESTING_MAX, parseExpression } from "./parser.ts";
import type { Value } from "./syntax.ts";

const EVENT: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["specversion", "1.0"],
  ["id", "1"],
  ["source", "/x"],
  ["type", "com.example.made"],
  ["empty", ""],
  ["yes", true],
  ["five", 5],
  ["emoji", "a😀b"],
]);

type Row = readonly [expression: string, value: Value, error?: EvaluationErrorKind];
const rows: Readonly<Record<string, readonly Row[]>> = {
  "operators of one level are taken from left to right": [
    ["10 - 3 - 2", 5],
    ["100 / 10 * 10", 100],
    ["TRUE OR FALSE AND FALSE", false],
    ["FALSE AND TRUE OR TRUE", true],
    ["1 < 2 = TRUE", true],
  ],
  "the levels: unary, LIKE, IN, product, sum, comparison, logic": [
    ["NOT FALSE = FALSE", false],
    ["NOT (FALSE = FALSE)", false],
    ["-2 * 3 + 10", 4],
    ["1 + 2 * 3 = 7 AND TRUE", true],
    ["'true' = 'b' LIKE 'b'", true],
    ["TRUE LIKE 't%' IN (TRUE)", true],
    ["NOT EXISTS nothing", true],
    ["2 * 3 IN (3)", 2],
  ],
  "a sign belongs to the digits behind it only where a value is wanted": [
    ["4-1", 3],
    ["4 -1", 3],
    ["4+1", 5],
    ["4 - -1", 5],
    ["+5", 5],
    ["--5", 5],
    ["-five", -5],
    ["five-1", 4],
    ["+five", false, "parse"],
    ["+ 5", false, "parse"],
  ],
  "integers have 32 bits": [
    ["2147483647", 2147483647],
    ["-2147483648", -2147483648],
    ["2147483648", false, "parse"],
    ["-2147483649", false, "parse"],
    ["- 2147483648", false, "parse"],
    ["007", 7],
    ["2147483647 + 1", 0, "math"],
    ["-2147483648 - 1", 0, "math"],
    ["65536 * 65536", 0, "math"],
    ["-2147483648 / -1", 0, "math"],
    ["--2147483648", 0, "math"],
    ["-2147483648 % -1", 0],
    ["-7 / 2", -3],
    ["-7 % 2", -1],
    ["7 % -2", 1],
    ["0 * -1", 0],
    ["INT('2147483648')", 0, "cast"],
    ["INT('+5')", 5],
    ["INT(' 5')", 0, "cast"],
    ["INT('')", 0, "cast"],
    ["INT('1e3')", 0, "cast"],
  ],
  "strings: only the own quote is escaped": [
    ["'it\\'s'", "it's"],
    ["'it''s'", "it's"],
    ['"say \\"x\\""', 'say "x"'],
    ["'a\\\"b'", 'a\\"b'],
    ["'a\\\\b'", "a\\\\b"],
    ["'a\\nb'", "a\\nb"],
    ["''", ""],
    ["'\n'", "\n"],
    ["'open", false, "parse"],
    ["'a' 'b'", false, "parse"],
  ],
  "a missing attribute makes the smallest expression around it its zero value": [
    ["missing", false, "missingAttribute"],
    ["(missing)", false, "missingAttribute"],
    ["missing NOT LIKE 'a'", false, "missingAttribute"],
    ["missing NOT IN ('a')", false, "missingAttribute"],
    ["'a' IN (missing, 'a')", false, "missingAttribute"],
    ["'a' IN ('a', missing)", true],
    ["LENGTH(missing)", 0, "missingAttribute"],
    ["LOWER(missing)", "", "missingAttribute"],
    ["IS_INT(missing)", false, "missingAttribute"],
    ["missing + 'abc'", 0, "missingAttribute"],
    ["missing OR TRUE", false, "missingAttribute"],
    ["TRUE OR missing", true],
    ["missing = missing", false, "missingAttribute"],
    ["EXISTS missing OR missing = 1", false, "missingAttribute"],
    ["FOO(missing)", false, "missingFunction"],
  ],
  "EXISTS: an empty text is there, and required attributes always are": [
    ["EXISTS empty", true],
    ["empty = ''", true],
    ["exists ID", true],
    ["EXISTS data", false],
    ["EXISTS (id)", false, "parse"],
    ["EXISTS 'id'", false, "parse"],
    ["EXISTS not", false, "parse"],
  ],
  casts: [
    ["'abc' = 5", false, "cast"],
    ["5 = 'abc'", false],
    ["'5' = 5", true],
    ["5 = '5'", true],
    ["5 = TRUE", true],
    ["TRUE = 1", true],
    ["TRUE = 2", false],
    ["'x' AND FALSE", false, "cast"],
    ["FALSE AND 'x'", false],
    ["1 AND 'TRUE'", true],
    ["1 XOR TRUE", false],
    ["NOT 'x'", true, "cast"],
    ["NOT 0", true, "cast"],
    ["NOT BOOL(0)", true],
    ["-'x'", 0, "cast"],
    ["yes < 2", true],
    ["1 IN ('x', 1)", false, "cast"],
    ["'tRuE' = TRUE", true],
    ["IS_INT('5') AND IS_INT(TRUE) AND NOT IS_INT('x')", true],
    ["IS_BOOL('TRUE') AND IS_BOOL(7) AND NOT IS_BOOL('x')", true],
    ["ABS('x')", 0, "cast"],
    ["LEFT('abc', 'x')", "", "cast"],
  ],
  "evaluation ends at the first error": [
    ["1 / 0 = 'x'", false, "math"],
    ["missing + 1 / 0", 0, "missingAttribute"],
    ["LEFT('abc', -1) = 'abc'", false, "functionEvaluation"],
    ["NOT (1 / 0 = 0)", false, "math"],
  ],
  "functions count characters and know their arguments": [
    ["LENGTH(emoji)", 3],
    ["LEFT(emoji, 2)", "a😀"],
    ["RIGHT(emoji, 2)", "😀b"],
    ["RIGHT('abc', 0)", ""],
    ["SUBSTRING(emoji, 2, 1)", "😀"],
    ["SUBSTRING('abc', 3)", "c"],
    ["SUBSTRING('abc', 4)", "", "functionEvaluation"],
    ["SUBSTRING('abc', -3, 0)", ""],
    ["SUBSTRING('abc', 1, -1)", "", "functionEvaluation"],
    ["SUBSTRING('abc', 2, 100)", "bc"],
    ["TRIM('\u0085\u3000 a \u00a0')", "a"],
    ["TRIM('\uFEFFa\u0001')", "\uFEFFa\u0001"],
    ["CONCAT_WS('-', 1, TRUE)", "1-true"],
    ["concat ('a')", "a"],
    ["LENGTH()", false, "missingFunction"],
    ["LENGTH('a', 'b')", false, "missingFunction"],
    ["ABS1(1)", false, "parse"],
    ["a_b", false, "parse"],
    ["a_1()", false, "parse"],
    ["CONCAT('a',)", false, "parse"],
  ],
  "what is no expression": [
    ["", false, "parse"],
    [" ", false, "parse"],
    ["()", false, "parse"],
    ["1 2", false, "parse"],
    ["'a' LIKE id", false, "parse"],
    ["'a' LIKE ('a')", false, "parse"],
    ["1 IN ()", false, "parse"],
    ["1 IN 1", false, "parse"],
    ["1 NOT 1", false, "parse"],
    ["1 == 1", false, "parse"],
    ["1 & 1", false, "parse"],
    ["1\u00a0= 1", false, "parse"],
    ["AND", false, "parse"],
    ["IN(1)", false, "parse"],
  ],
};

for (const [name, group] of Object.entries(rows)) {
  test(`expressions: ${name}`, () => {
    for (const [expression, value, error] of group) {
      const got = evaluateExpression(expression, EVENT);
      assert.deepEqual({ expression, value: got.value, error: got.fault?.kind }, { expression, value, error });
      assert.ok(!Object.is(got.value, -0), expression);
    }
  });
}

test("a fault says where and what", () => {
  const faults = ["id = 'x", "id = ", "(1", "id # 2", "x LIKE 1"].map((text) => {
    const parsed = parseExpression(text);
    return "fault" in parsed ? parsed.fault.message : "none";
  });
  assert.deepEqual(faults, [
    "the string does not end (at position 6)",
    "the expression ends where a value is wanted (at position 6)",
    'the expression ends where ")" is wanted (at position 3)',
    'unexpected character "#" (at position 4)',
    '"1" stands where a string, LIKE takes no other pattern is wanted (at position 8)',
  ]);
});

test("an expression of which it is known that it is never true or false is no filter", () => {
  const told = (expression: string): string | undefined => filterFault(expression);
  for (const fine of ["TRUE", "myext", "NOT myext", "id = '1'", "EXISTS x", "BOOL(x)", "UNKNOWN(1)"]) assert.equal(told(fine), undefined, fine);
  assert.equal(told("1 + x"), "the expression is never a Boolean but always an Integer");
  assert.equal(told("(LOWER(x))"), "the expression is never a Boolean but always a String");
  assert.equal(told("type"), "the expression is never a Boolean but always a String");
  assert.match(told("x =") ?? "", /ends where a value is wanted/);
});

test("a filter passes nothing that is not true without an error", () => {
  const matches = (text: string): boolean => {
    const compiled = compileExpression(text);
    assert.ok(!("fault" in compiled));
    return compiled.matches(EVENT);
  };
  assert.equal(matches("yes"), true);
  for (const text of ["five", "id", "emoji = 'x'", "NOT 10", "missing != 1", "BOOL('TRUE') AND missing"]) assert.equal(matches(text), false, text);
});

test("limits: length, nests and chains", () => {
  const parses = (text: string): boolean => "node" in parseExpression(text);
  assert.ok(parses(`'${"x".repeat(EXPRESSION_LENGTH_MAX - 2)}'`));
  assert.ok(!parses(`'${"x".repeat(EXPRESSION_LENGTH_MAX - 1)}'`));
  const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + "1" + close.repeat(depth);
  for (const [open, close] of [
    ["(", ")"],
    ["- ", ""],
    ["NOT ", ""],
    ["ABS(", ")"],
    ["1 IN (", ")"],
    ["1+(", ")"],
  ] as const) {
    assert.ok(parses(nested(NESTING_MAX / 2 - 1, open, close)), open);
    assert.ok(!parses(nested(NESTING_MAX + 1, open, close)), open);
  }
  const chain = (length: number): string => Array.from({ length }, () => "1").join("+");
  assert.equal(evaluateExpression(chain(NESTING_MAX + 1), EVENT).value, NESTING_MAX + 1);
  assert.ok(!parses(chain(NESTING_MAX + 2)));
});

test("LIKE: as a naive matcher says, for any text and pattern", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "%", "_", "\\", "😀"), { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(letters, letters, (text, pattern) => {
      assert.equal(likeMatcher(pattern)(text), naive([...text], [...pattern]), `${text} LIKE ${pattern}`);
    }),
    { numRuns: 5_000 },
  );
});

/** The definition, with all the time of the world. */
function naive(text: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === "%") return naive(text, rest) || (text.length > 0 && naive(text.slice(1), pattern));
  if (first === "\\" && (rest[0] === "%" || rest[0] === "_")) return text[0] === rest[0] && naive(text.slice(1), rest.slice(1));
  return text.length > 0 && (first === "_" || first === text[0]) && naive(text.slice(1), rest);
}

test("any text is an expression or a fault, and any expression has a value of a known type", () => {
  const word = fc.constantFrom(
    "id",
    "missing",
    "five",
    "1",
    "0",
    "'5'",
    "'x'",
    "TRUE",
    "AND",
    "OR",
    "NOT",
    "=",
    "<",
    "+",
    "-",
    "/",
    "%",
    "(",
    ")",
    ",",
    "IN",
    "LIKE",
    "'%'",
    "EXISTS",
    "ABS(",
    "LEFT(",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const text = words.join(" ");
      const compiled = compileExpression(text);
      if ("fault" in compiled) return;
      const { value, fault } = compiled.evaluate(EVENT);
      if (compiled.type !== undefined) assert.equal(typeof value, { Boolean: "boolean", Integer: "number", String: "string" }[compiled.type], text);
      assert.equal(compiled.matches(EVENT), value === true && fault === undefined, text);
    }),
    { numRuns: 5_000 },
  );
});
