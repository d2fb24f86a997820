// The compatibility kit of the CloudEvents repository: its cases, and where an evaluator differs from them. Pure, but for reading the folder.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Attributes, Evaluation, Value } from "#cesql";

export interface TckCase {
  /** `File: case`. */
  readonly name: string;
  readonly expression: string;
  /** Undefined: the kit does not say. */
  readonly result: Value | undefined;
  readonly error: string | undefined;
  readonly event: Readonly<Record<string, Value>>;
}

interface TckFile {
  readonly name: string;
  readonly tests: readonly {
    readonly name: string;
    readonly expression: unknown;
    readonly result?: Value;
    readonly error?: string;
    readonly event?: Record<string, Value>;
    readonly eventOverrides?: Record<string, Value>;
  }[];
}

/** Any valid event will do where a case brings none. */
const ANY_EVENT = { specversion: "1.0", id: "any", source: "/any", type: "any" };

/** The folder with the kit's files: a checkout's root, or the folder itself. */
export function tckFolder(path: string): string {
  const inside = join(path, "cesql/cesql_tck");
  return existsSync(inside) ? inside : path;
}

export function casesIn(folder: string): TckCase[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files.sort().flatMap((file) => casesOf(readFileSync(join(folder, file), "utf8")));
}

/** An unquoted expression may be read as a number or a boolean: its source is what counts. */
export function casesOf(text: string): TckCase[] {
  const file = parse(text) as TckFile;
  const expressions = (parse(text, { schema: "failsafe" }) as TckFile).tests;
  return file.tests.map((row, index) => ({
    name: `${file.name}: ${row.name}`,
    expression: String(expressions[index]?.expression),
    result: row.result,
    error: row.error,
    event: { ...(row.event ?? ANY_EVENT), ...row.eventOverrides },
  }));
}

/** One line a case that came out otherwise. */
export function differences(cases: readonly TckCase[], evaluate: (expression: string, attributes: Attributes) => Evaluation): string[] {
  return cases.flatMap(({ name, expression, event, result, error }) => {
    const { value, fault } = evaluate(expression, new Map(Object.entries(event)));
    if (fault?.kind === error && (result === undefined || value === result)) return [];
    return [`${name}: ${expression} is ${JSON.stringify(value)} (${fault?.kind ?? "no error"}), wanted ${JSON.stringify(result)} (${error ?? "no error"})`];
  });
}
