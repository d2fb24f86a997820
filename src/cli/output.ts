// How commands print: tables as kn and kubectl do, and objects as JSON, YAML or names.
import { stringify } from "yaml";
import { humanDuration, type KubeObject } from "#schema";
import { CliError } from "./exit.ts";

export type Format = "json" | "yaml" | "name";

export function parseFormat(text: string | undefined): Format | undefined {
  if (text === undefined || text === "json" || text === "yaml" || text === "name") return text;
  throw new CliError("usage", `unknown output format ${JSON.stringify(text)}`, { hint: "use -o json, -o yaml or -o name" });
}

/** Columns are as wide as their widest cell plus three blanks; the last one ends the line. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)) + 3);
  return all.map((row) => row.map((cell, column) => (column === header.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("")).join("\n") + "\n";
}

/** A plain value as JSON on one line, or as YAML. */
export function structured(format: "json" | "yaml", value: unknown): string {
  return format === "json" ? `${JSON.stringify(value)}\n` : stringify(value, { lineWidth: 0 });
}

/** Of commands whose answer is no object of the API. Throws CliError `usage`. */
export function parsePlainFormat(text: string | undefined): "json" | "yaml" | undefined {
  if (text === undefined || text === "json" || text === "yaml") return text;
  throw new CliError("usage", `unknown output format ${JSON.stringify(text)}`, { hint: "use -o json or -o yaml" });
}

/** One object, or a List of several. */
export function formatted(format: Format, objects: readonly KubeObject[], single: boolean): string {
  if (format === "name") return objects.map((object) => `${resourceOf(object)}/${object.metadata.name}\n`).join("");
  const value = single ? objects[0] : { apiVersion: "v1", kind: "List", items: objects };
  return format === "json" ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value, { lineWidth: 0 });
}

function resourceOf(object: KubeObject): string {
  const group = object.apiVersion.includes("/") ? `.${object.apiVersion.split("/")[0]}` : "";
  return `${object.kind.toLowerCase()}${group}`;
}

/** `45s`, `5m10s`, `3h`, `2d4h`: how long ago a time was, as kubectl tells it; a clock that runs behind shows 0s. */
export function age(time: string | undefined, nowMs: number): string {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? "<unknown>" : humanDuration(Math.max(0, nowMs - at));
}
