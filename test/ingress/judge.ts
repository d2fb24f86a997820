// What a run of Knative's ingress suite says, and whether that is what we expect of it. Pure.

export type Result = "PASS" | "FAIL" | "SKIP";

export interface Expectations {
  /** Name → why it cannot pass yet. */
  readonly fails: Readonly<Record<string, string>>;
  readonly passes: readonly string[];
}

const ROOT = "TestIngressConformance/";
/** Go's verbose form; four spaces a level. The suite's own tests are the first one: a failing part fails its whole. */
const RESULT = /^ {4}--- (PASS|FAIL|SKIP): (\S+) \(/;

/** The results of the suite's tests, by their names in the suite. */
export function resultsOf(output: string): Map<string, Result> {
  const results = new Map<string, Result>();
  for (const line of output.split("\n")) {
    const [, result, name] = RESULT.exec(line) ?? [];
    if (name?.startsWith(ROOT) === true) results.set(name.slice(ROOT.length), result as Result);
  }
  return results;
}

/** What differs from the expectations, a line each; a test that passes against them, or that nobody knows, differs, too. */
export function differences(results: ReadonlyMap<string, Result>, { fails, passes }: Expectations): string[] {
  const said: string[] = [];
  for (const name of passes) {
    const result = results.get(name);
    if (result !== "PASS") said.push(`${name}: ${result === undefined ? "did not run" : result === "SKIP" ? "was skipped" : "failed"}, it has to pass`);
  }
  for (const [name, reason] of Object.entries(fails)) {
    const result = results.get(name);
    if (result === undefined) said.push(`${name}: did not run; it is expected to fail (${reason})`);
    else if (result !== "FAIL") said.push(`${name}: ${result === "SKIP" ? "was skipped" : "passes"}, though it is expected to fail (${reason})`);
  }
  for (const name of results.keys()) if (!passes.includes(name) && !(name in fails)) said.push(`${name}: is not in the expectations`);
  return said.toSorted();
}
