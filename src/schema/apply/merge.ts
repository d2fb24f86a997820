// Merges an applied configuration into an object: what it does not name stays.
import type { ListType, MapType, MergeType } from "./merge-type.ts";
import { asList, asMap, elementOfItem, itemsByElement, memberOf, memberType, Misfit, namesOf, shapeOf } from "./walk.ts";

function mergeMaps(map: MapType, live: unknown, config: unknown): unknown {
  const [a, b] = [asMap(live), asMap(config)];
  const names = map.atomic ? [] : namesOf(a, b);
  if (names.length === 0) return config;
  const out: [string, unknown][] = [];
  for (const name of names) {
    const type = memberType(map, name);
    if (type === undefined) throw new Misfit(`.${name}: field not declared in schema`);
    out.push([name, mergeAt(type, memberOf(a, name), memberOf(b, name))]);
  }
  // Not by assignment: `__proto__` is a legal key of data.
  return Object.fromEntries(out);
}

/** An item that occurs several times is replaced by what the configuration says of it. */
function mergeItem(list: ListType, live: readonly unknown[] | undefined, config: unknown): unknown {
  return mergeAt(list.items, live === undefined ? undefined : live.length > 1 ? null : live[0], config);
}

/**
 * The items of the configuration stand in its order; items that only the object has stay where they stood in relation to
 * those that both have.
 */
function mergeLists(list: ListType, live: unknown, config: unknown): unknown {
  const [a, b] = [asList(live) ?? [], asList(config) ?? []];
  if (list.atomic || (a.length === 0 && b.length === 0)) return config;
  const left = a.map((item) => elementOfItem(list, item));
  const [before, after] = [itemsByElement(list, a), itemsByElement(list, b)];
  const right = [...after.keys()];
  const shared = right.filter((element) => before.has(element));
  const done = new Set<string>();
  const out: unknown[] = [];
  const take = (element: string): void => {
    done.add(element);
    out.push(mergeItem(list, before.get(element), after.get(element)?.[0]));
    if (shared[0] === element) shared.shift();
  };
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [mine, theirs] = [left[l], right[r]];
    if (mine !== undefined && mine === theirs) {
      take(mine);
      [l, r] = [l + 1, r + 1];
    } else if (mine !== undefined && !after.has(mine)) {
      out.push(a[l]);
      l++;
    } else if (mine !== undefined && theirs !== undefined && shared.length > 0 && shared[0] !== mine) {
      l++;
    } else {
      if (mine !== undefined && done.has(mine)) l++;
      if (theirs !== undefined) take(theirs);
      r++;
    }
  }
  return out;
}

function mergeAt(type: MergeType, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  const shape = shapeOf(type, config);
  if (shape === "map" && type.map !== undefined) return mergeMaps(type.map, live, config);
  if (shape === "list" && type.list !== undefined) return mergeLists(type.list, live, config);
  return config;
}

/** The object with the configuration in it. Both have been checked against the type. */
export function mergeObjects(type: MergeType, live: unknown, config: unknown): unknown {
  return mergeAt(type, live, config);
}
