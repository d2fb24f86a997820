// Figures with spread and goal, as a table for people or as JSON, with what they were measured on.
import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly rounds: readonly number[];
  /** `<=` and `>=` are goals for the median; `==` must hold, else the run fails. */
  readonly goal?: { readonly is: "<=" | ">=" | "=="; readonly value: number };
  /** The figure of somebody else to compare with. */
  readonly beside?: string;
}

export interface Spread {
  readonly n: number;
  readonly median: number;
  readonly p90: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? at(0.5) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return { n: sorted.length, median, p90: at(0.9), min: at(0), max: at(1) };
}

export const medianOf = (values: readonly number[]): number => spreadOf(values).median;

/** Whether the median meets the goal; "" without one. */
export function verdictOf({ goal, rounds }: Figure): "" | "met" | "MISSED" {
  if (goal === undefined) return "";
  const { median } = spreadOf(rounds);
  const isMet = { "<=": median <= goal.value, ">=": median >= goal.value, "==": median === goal.value };
  return isMet[goal.is] ? "met" : "MISSED";
}

export interface Report {
  readonly bench: string;
  readonly measured: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
  /** What a reader has to know to judge the figures. */
  readonly notes: readonly string[];
}

export function print(report: Report, format: "text" | "json"): void {
  if (format === "json") {
    const figures = report.figures.map((figure) => ({
      ...figure,
      ...spreadOf(figure.rounds),
      ...(figure.goal === undefined ? {} : { verdict: verdictOf(figure) }),
    }));
    console.log(JSON.stringify({ ...report, figures }));
    return;
  }
  const rows = report.figures.map((figure) => {
    const { n, median, p90, min, max } = spreadOf(figure.rounds);
    const goal = figure.goal === undefined ? "" : `${figure.goal.is} ${figure.goal.value}`;
    return [
      figure.name,
      short(median),
      figure.unit,
      n === 1 ? "" : `${short(min)} - ${short(max)}`,
      n === 1 ? "" : short(p90),
      String(n),
      goal,
      verdictOf(figure),
      figure.beside ?? "",
    ];
  });
  const head = ["figure", "median", "unit", "range", "p90", "n", "goal", "", "beside"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const measuredOn = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  console.log(`\n${report.bench}, ${report.measured}: ${measuredOn.join(", ")}`);
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  for (const note of report.notes) console.log(`- ${note}`);
}

function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function versionsOf(root: string): Record<string, string> {
  const git = (...args: readonly string[]): string => {
    try {
      return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      return "";
    }
  };
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "package.json") === "" ? "" : " with local changes";
  return {
    node: process.version,
    kernel: release(),
    commit: `${git("rev-parse", "--short", "HEAD") || "unknown"}${changed}`,
    machine: `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  };
}
