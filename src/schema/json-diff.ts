// The JSON Patch that makes one document of another.
import { isObject } from "./compile-nodes.ts";
import { equal } from "./equal.ts";

export type PatchStep = { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown } | { readonly op: "remove"; readonly path: string };

const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

/**
 * Steps for `applyJsonPatch`, none when the two are equal. Members are compared one by one, also in lists of the same
 * length; other lists are replaced as a whole. Members that are undefined count as absent.
 */
export function jsonPatchBetween(before: unknown, after: unknown, path = ""): PatchStep[] {
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => jsonPatchBetween(item, after[index] as unknown, `${path}/${index}`));
  }
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): PatchStep[] => {
      const at = `${path}/${escaped(key)}`;
      const [old, wanted] = [own(before, key), own(after, key)];
      if (wanted === undefined) return old === undefined ? [] : [{ op: "remove", path: at }];
      return old === undefined ? [{ op: "add", path: at, value: wanted }] : jsonPatchBetween(old, wanted, at);
    });
  }
  return equal(before, after) ? [] : [{ op: "replace", path, value: after }];
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
