// Maps of defaults in YAML, as two of Eventing's ConfigMaps hold them.
import { parse as parseYaml } from "yaml";
import type { ConfigData, ConfigError } from "../config/reader.ts";

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The YAML map under `key`, or why there is none. */
export function mapUnder(data: ConfigData, key: string): { readonly map: Record<string, unknown> } | ConfigError {
  const text = data[key] ?? "";
  if (text === "") return { error: `ConfigMap is missing (or empty) key: ${JSON.stringify(key)}` };
  try {
    const value: unknown = parseYaml(text);
    return isRecord(value) ? { map: value } : { error: `Failed to parse the entry: ${JSON.stringify(key)} holds no map` };
  } catch (error) {
    return { error: `Failed to parse the entry: ConfigMap's value could not be converted to JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Each member of a map in the form that `read` gives it; what has none goes. */
export function membersOf<T>(value: unknown, read: (member: unknown) => T | undefined): Readonly<Record<string, T>> | undefined {
  if (!isRecord(value)) return undefined;
  const found = Object.entries(value).flatMap(([name, member]) => {
    const known = read(member);
    return known === undefined ? [] : [[name, known] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
