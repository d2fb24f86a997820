// How commands print: tables as kn and kubectl do, and objects as JSON, YAML or names.
import { stringify } from "yaml";
import type { KubeObject } from "#schema";
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

/** `45s`, `5m10s`, `3h`, `2d4h`: how long ago a time was, as kubectl tells it. */
export function age(time: string | undefined, nowMs: number): string {
  const at = Date.parse(time ?? "");
  if (Number.isNaN(at)) return "<unknown>";
  const seconds = Math.max(0, Math.floor((nowMs - at) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${seconds % 60 === 0 ? "" : `${seconds % 60}s`}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${minutes % 60 === 0 ? "" : `${minutes % 60}m`}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return `${days}d${hours % 24 === 0 ? "" : `${hours % 24}h`}`;
  return `${days}d`;
}
