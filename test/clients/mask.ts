// What differs between two servers although they behave the same: each mask with its reason.
import type { Outcome } from "./script.ts";

/** [what is masked, what stands for it, why]. */
const MASKS: readonly (readonly [pattern: RegExp, mask: string, why: string])[] = [
  [/https?:\/\/(?:127\.0\.0\.1|localhost):\d+/g, "SERVER", "the address of the server"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}:\d{4,5}\b/g, "SERVER", "the address of the server"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UID", "chance"],
  [/("?resourceVersion"?: ?)"\d+"/g, '$1"RV"', "the history of the server"],
  [/(Resource Version: +)\d+/g, "$1RV", "the history of the server"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| \+0000(?: UTC)?)?/g, "TIME", "time"],
  [/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, "TIME", "time"],
  [/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, "TIME", "time"],
  [/(?<=[\s(])(?:\d+d|(?:\d+m)?\d+(?:\.\d+)?s)(?=[\s)]|$)/gm, "AGE", "time"],
  [/\b(gen-)[a-z0-9]{5}\b/g, "$1CHANCE", "chance: the suffix of generateName"],
  [/(?:LIVE|MERGED)-\d+/g, "FOLDER", "kubectl diff's temporary folders"],
  [/\/\S*\/(FOLDER)/g, "$1", "kubectl diff's temporary folders"],
  [
    /"(gitVersion|gitCommit|gitTreeState|buildDate|goVersion|compiler|platform|emulationMajor|emulationMinor|minCompatibilityMajor|minCompatibilityMinor)": "[^"]*"/g,
    '"$1": "BUILD"',
    "how the server was built",
  ],
  [/^[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ /gm, "LOG ", "klog's time and thread"],
];

/** Column widths follow the widest cell, which may be a masked one. */
function squeezed(text: string): string {
  return text
    .split("\n")
    .map((line) =>
      line
        .replaceAll(/ +\t/g, "\t")
        .replaceAll(/(?<=\S) {2,}/g, "  ")
        .trimEnd(),
    )
    .join("\n");
}

export function masked(text: string): string {
  return squeezed(MASKS.reduce((rest, [pattern, mask]) => rest.replaceAll(pattern, mask), text));
}

export function maskedOutcome({ command, code, stdout, stderr }: Outcome): Outcome {
  return { command, code, stdout: masked(stdout), stderr: masked(stderr) };
}

/** Where two masked outcomes differ first, as text for people; undefined when they are equal. */
export function difference(expected: Outcome, got: Outcome): string | undefined {
  if (expected.code !== got.code) return `exit code ${got.code} instead of ${expected.code}\n${firstDifference("stderr", expected.stderr, got.stderr) ?? ""}`;
  return firstDifference("stdout", expected.stdout, got.stdout) ?? firstDifference("stderr", expected.stderr, got.stderr);
}

function firstDifference(what: string, expected: string, got: string): string | undefined {
  if (expected === got) return undefined;
  const wanted = expected.split("\n");
  const have = got.split("\n");
  const at = Math.max(
    0,
    wanted.findIndex((line, index) => line !== have[index]),
  );
  const show = (lines: readonly string[], sign: string): string =>
    lines
      .slice(at, at + 3)
      .map((line) => `    ${sign} ${line}`)
      .join("\n");
  return `${what}, line ${at + 1}:\n${show(wanted, "-")}\n${show(have, "+")}`;
}
