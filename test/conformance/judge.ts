// What a run of one of Knative's suites says, and whether that is what we expect of it. Pure.

export type Result = "PASS" | "FAIL" | "SKIP";

export interface Expectations {
  /** Name → why it cannot pass yet. */
  readonly fails: Readonly<Record<string, string>>;
  readonly passes: readonly string[];
  /** Name → why the suite leaves it out on every platform. */
  readonly skips?: Readonly<Record<string, string>>;
}

/** Go's verbose form; four spaces a level. */
const RESULT = /^( *)--- (PASS|FAIL|SKIP): (\S+) \(/;

/** The results of a suite's own tests: those below the test `root`, or at the top without one. A part that fails makes its whole fail. */
export function resultsOf(output: string, root?: string): Map<string, Result> {
  const prefix = root === undefined ? "" : `${root}/`;
  const results = new Map<string, Result>();
  for (const line of output.split("\n")) {
    const [, indent, result, name] = RESULT.exec(line) ?? [];
    if (name === undefined || indent?.length !== (root === undefined ? 0 : 4) || !name.startsWith(prefix)) continue;
    results.set(name.slice(prefix.length), result as Result);
  }
  return results;
}

const SAID = { PASS: "passes", FAIL: "failed", SKIP: "was skipped" } as const;

/** What differs from the expectations, a line each; a test that passes against them, or that nobody knows, differs, too. */
export function differences(results: ReadonlyMap<string, Result>, { fails, passes, skips = {} }: Expectations): string[] {
  const said = (name: string): string => {
    const result = results.get(name);
    return result === undefined ? "did not run" : SAID[result];
  };
  const differing: string[] = [];
  for (const name of passes) if (results.get(name) !== "PASS") differing.push(`${name}: ${said(name)}, it has to pass`);
  for (const [name, reason] of Object.entries(fails))
    if (results.get(name) !== "FAIL") differing.push(`${name}: ${said(name)}, it is expected to fail (${reason})`);
  for (const [name, reason] of Object.entries(skips))
    if (results.get(name) !== "SKIP") differing.push(`${name}: ${said(name)}, it is expected to be skipped (${reason})`);
  const known = new Set([...passes, ...Object.keys(fails), ...Object.keys(skips)]);
  for (const name of results.keys()) if (!known.has(name)) differing.push(`${name}: is not in the expectations`);
  return differing.toSorted();
}
