// JSON Merge Patch (RFC 7386) as the API server applies it. Inputs are never changed.
import { isObject } from "./compile-nodes.ts";
import { setMember } from "./json-patch.ts";

/** Without members that are null, at any depth. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (!isObject(value)) return value;
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) if (value[name] !== null) setMember(out, name, pruned(value[name]));
  return out;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(target)) return pruned(patch);
  if (!isObject(patch)) return patch;
  const out: Record<string, unknown> = {};
  const names = new Set([...Object.keys(target), ...Object.keys(patch)]);
  for (const name of [...names].sort()) {
    const before = Object.hasOwn(target, name) ? target[name] : undefined;
    if (!Object.hasOwn(patch, name)) setMember(out, name, before);
    else if (patch[name] !== null) setMember(out, name, before === undefined || before === null ? pruned(patch[name]) : merge(before, patch[name]));
  }
  return out;
}

/** Applies a merge patch that `readPatch` has read; one that is a list stands for itself. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  return isObject(patch) ? merge(document, patch) : pruned(patch);
}
