// The order of merged lists: what the patch names in its order, what only the server has where it stood.

/** Go sorts lists up to this length by insertion; what has no place in the order moves only there. */
const INSERTION_MAX = 20;

/** Items by what tells them apart: the value of the merge key, or the plain value itself. */
export type IdOf = (item: unknown) => unknown;

function positions(list: readonly unknown[], idOf: IdOf): ReadonlyMap<unknown, number> {
  const found = new Map<unknown, number>();
  list.forEach((item, index) => {
    const id = idOf(item);
    if (!found.has(id)) found.set(id, index);
  });
  return found;
}

/**
 * Sorts by the position in `order`. What `order` does not have counts as less than anything it is compared with, as
 * anything does that is compared with it: Kubernetes' answer then depends on the steps of the sort, which are these.
 */
function sortedBy(items: readonly unknown[], place: ReadonlyMap<unknown, number>, idOf: IdOf): readonly unknown[] {
  const at = (item: unknown): number => place.get(idOf(item)) ?? -1;
  if (items.length > INSERTION_MAX || items.every((item) => at(item) >= 0)) return items.toSorted((a, b) => at(a) - at(b));
  const out = [...items];
  const goesBefore = (a: unknown, b: unknown): boolean => at(a) < 0 || at(b) < 0 || at(a) < at(b);
  for (let i = 1; i < out.length; i++) {
    for (let j = i; j > 0 && goesBefore(out[j], out[j - 1]); j--) [out[j], out[j - 1]] = [out[j - 1], out[j]];
  }
  return out;
}

export interface Orders {
  /** The order that the patch asks for: its `$setElementOrder` list, or its own items. */
  readonly patch: readonly unknown[];
  /** The list as it was on the server. */
  readonly server: readonly unknown[];
  readonly idOf: IdOf;
}

/**
 * Items that the patch's order names keep that order; the others keep the server's. Each of the others goes before the
 * first named item (from the last insertion on) that stood after it on the server.
 */
export function inOrder(items: readonly unknown[], { patch, server, idOf }: Orders): unknown[] {
  const wanted = positions(patch, idOf);
  const before = positions(server, idOf);
  const named = sortedBy(
    items.filter((item) => wanted.has(idOf(item))),
    wanted,
    idOf,
  );
  const others = sortedBy(
    items.filter((item) => !wanted.has(idOf(item))),
    before,
    idOf,
  );
  const out: unknown[] = [];
  let next = 0;
  for (const item of named) {
    // An item that is new to the server has nothing before it.
    const place = before.get(idOf(item)) ?? -1;
    while (next < others.length && (before.get(idOf(others[next])) ?? place) < place) out.push(others[next++]);
    out.push(item);
  }
  return [...out, ...others.slice(next)];
}
