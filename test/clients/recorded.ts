// What the commands of a script came to on a real server, masked, in a file for each script; and which may differ.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { difference, maskedOutcome } from "./mask.ts";
import type { Outcome } from "./script.ts";

const FOLDER = join(import.meta.dirname, "recorded");
const fileOf = (script: string): string => join(FOLDER, `${script}.json`);

export function record(script: string, outcomes: readonly Outcome[]): void {
  const lines = outcomes.map((outcome) => JSON.stringify(maskedOutcome(outcome)));
  writeFileSync(fileOf(script), `[\n${lines.join(",\n")}\n]\n`);
}

/** Undefined when nothing was recorded yet. */
export function recorded(script: string): readonly Outcome[] | undefined {
  return existsSync(fileOf(script)) ? (JSON.parse(readFileSync(fileOf(script), "utf8")) as Outcome[]) : undefined;
}

/** Command → why its output differs for good, of all scripts. */
export const EXPECTATIONS = JSON.parse(readFileSync(join(import.meta.dirname, "expectations.json"), "utf8")) as Readonly<Record<string, string>>;

export interface Verdict {
  readonly command: string;
  readonly verdict: "equal" | "differs" | "expected" | "unexpectedly equal";
  readonly text: string;
}

/** Compares command by command; a script that has changed since must be recorded again. */
export function judge(wanted: readonly Outcome[], got: readonly Outcome[]): readonly Verdict[] {
  return got.map((outcome, index) => {
    const expected = wanted[index];
    const { command } = outcome;
    if (expected?.command !== command) return { command, verdict: "differs", text: "not recorded: record the script again" };
    const text = difference(expected, maskedOutcome(outcome));
    const reason = EXPECTATIONS[command];
    if (text === undefined) return { command, verdict: reason === undefined ? "equal" : "unexpectedly equal", text: reason ?? "" };
    return reason === undefined ? { command, verdict: "differs", text } : { command, verdict: "expected", text: reason };
  });
}
