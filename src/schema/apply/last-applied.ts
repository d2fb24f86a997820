// Moving from client-side apply: kubectl's annotation says what it applied before the server did.
import { isObject } from "../compile-nodes.ts";
import { sortKeys } from "../equal.ts";
import { misfitOf } from "./check.ts";
import { compareObjects } from "./compare.ts";
import { goJson } from "./element.ts";
import { difference, type Fields } from "./fields.ts";
import { fieldsOfObject } from "./field-set.ts";
import type { Tracking } from "./update.ts";
import { Misfit } from "./walk.ts";

const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/** With a longer text the object would have too many annotations: then it has none of ours. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

function annotationsOf(object: unknown): Record<string, unknown> | undefined {
  const metadata = isObject(object) ? object["metadata"] : undefined;
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  return isObject(annotations) ? annotations : undefined;
}

function lastApplied(object: unknown): string | undefined {
  const text = annotationsOf(object)?.[ANNOTATION];
  return typeof text === "string" && text !== "" ? text : undefined;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What kubectl applied on the client's side and is still as it applied it; undefined when the object does not say. */
export function allowedByLastApplied({ type, apiVersion }: Tracking, live: unknown): Fields | undefined {
  const text = lastApplied(live);
  const config = text === undefined ? undefined : parsed(text);
  if (config?.["apiVersion"] !== apiVersion || misfitOf(type, live) !== undefined || misfitOf(type, config) !== undefined) return undefined;
  try {
    const { modified, added, removed } = compareObjects(type, config, live);
    return [modified, added, removed].reduce(difference, fieldsOfObject(type, config));
  } catch (error) {
    if (error instanceof Misfit) return undefined;
    throw error;
  }
}

/** The object with the annotation that says what was applied now, if it had one. */
export function withLastApplied(object: unknown, config: Readonly<Record<string, unknown>>): unknown {
  const before = lastApplied(object);
  if (before === undefined || !isObject(object)) return object;
  const { [ANNOTATION]: _old, ...applied } = annotationsOf(config) ?? {};
  const metadata = isObject(config["metadata"]) ? config["metadata"] : {};
  const meta = annotationsOf(config) === undefined ? metadata : { ...metadata, annotations: applied };
  const text = `${goJson(sortKeys({ ...config, metadata: meta }))}\n`;
  if (text === before) return object;
  const { [ANNOTATION]: _replaced, ...others } = annotationsOf(object) ?? {};
  const next: Record<string, unknown> = { ...others, [ANNOTATION]: text };
  const bytes = Object.entries(next).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)), 0);
  return { ...object, metadata: { ...(object["metadata"] as object), annotations: bytes > ANNOTATIONS_BYTES_MAX ? others : next } };
}
