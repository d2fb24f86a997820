// Tables: the columns of a kind and the cells of an object, as `kubectl get` shows them.
import { ageOf } from "./age.ts";
import { compileJsonPath } from "./json-path.ts";
import type { Column, Kind } from "./kind.ts";
import type { KubeObject } from "./object.ts";

/** `metav1.TableColumnDefinition`. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

/** The table of a kind: definitions once, cells per object. */
export interface TableOf {
  readonly columns: readonly ColumnDefinition[];
  cells(object: KubeObject, nowMs: number): Cell[];
}

const NAME: Column = { name: "Name", type: "string", format: "name", cell: (object) => object.metadata.name };
const AGE: Column = { name: "Age", type: "date", cell: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs) };

/** The value in the form that a custom column's type asks for; what does not fit is shown as nothing. */
function cellOf(column: Column, value: unknown, nowMs: number): Cell {
  if (value === undefined || value === null) return null;
  switch (column.type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageOf(value, nowMs) : null;
    case "timestamp":
    case "string":
      return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
  }
}

/** A path of a user's column that nobody can read shows nothing. */
function finderOf(path: string): (value: unknown) => unknown[] {
  try {
    return compileJsonPath(path);
  } catch {
    return () => [];
  }
}

function readerOf(column: Column): (object: KubeObject, nowMs: number) => Cell {
  if (column.cell !== undefined) return column.cell;
  const find = finderOf(column.path ?? "");
  return (object, nowMs) => cellOf(column, find(object)[0], nowMs);
}

function definitionOf(column: Column, custom: boolean): ColumnDefinition {
  const path = custom && column.path !== undefined ? `Custom resource definition column (in JSONPath format): ${column.path}` : "";
  return {
    name: column.name,
    // Kubernetes' own printers write ages as text.
    type: column.type === "timestamp" ? "date" : column.type === "date" && !custom ? "string" : column.type,
    format: column.format ?? "",
    description: column.description ?? path,
    priority: column.priority ?? 0,
  };
}

/**
 * NAME comes first unless a built-in kind places it itself (format `name`); AGE is added to kinds that declare no
 * columns, and to a built-in kind where its file places it.
 */
export function tableOf(kind: Kind): TableOf {
  const named = kind.columns.some((column) => column.format === "name" || (!kind.custom && column.name === "Name"));
  const columns = [...(named ? [] : [NAME]), ...(kind.columns.length === 0 ? [AGE] : kind.columns)];
  const readers = columns.map(readerOf);
  return {
    columns: columns.map((column) => definitionOf(column, kind.custom)),
    cells: (object, nowMs) => readers.map((read) => read(object, nowMs)),
  };
}
