// Where the programs of a script are: kubectl on the PATH, the others by variables.
import { findProgram } from "../e2e/platform.ts";

const VARIABLES: Readonly<Record<string, string>> = { kn: "KN", func: "FUNC", helm: "HELM" };

/** Paths by name of what a script calls; a text says what is missing. */
export function programsFor(script: string): Readonly<Record<string, string>> | string {
  const names = script === "kubectl" ? ["kubectl"] : ["kubectl", script];
  const found: Record<string, string> = {};
  for (const name of names) {
    const variable = VARIABLES[name];
    const path = findProgram(name, variable);
    if (path === undefined) return `${name} is not there${variable === undefined ? "" : `: set ${variable} to its path`}`;
    found[name] = path;
  }
  return found;
}
