// Makes a stored set fit a schema that has changed since: what became atomic is owned whole.
import { isEmpty, isMember, nodeOf, NOTHING, type Fields } from "./fields.ts";
import { isDeduced, type MergeType } from "./merge-type.ts";
import { memberType } from "./walk.ts";

/** The node of a place that is owned by parts though it can only be owned whole, as whole; undefined keeps it. */
function wholeIfAtomic(type: MergeType, node: Fields): Fields | undefined {
  if (type.map !== undefined) return type.map.atomic && !isEmpty(node) && !isDeduced(type.map) ? NOTHING : undefined;
  return type.scalar === undefined && type.list?.atomic === true ? NOTHING : undefined;
}

function typeBelow(type: MergeType, element: string): MergeType | undefined {
  if (type.map !== undefined) return isDeduced(type.map) || !element.startsWith("f:") ? undefined : memberType(type.map, element.slice(2));
  return type.scalar === undefined && type.list?.atomic === false ? type.list.items : undefined;
}

function reconcileNode(type: MergeType, node: Fields, member: boolean): Fields {
  let changed = false;
  const parts = Object.keys(node)
    .filter((element) => element !== ".")
    .map((element) => {
      const inner = node[element] ?? NOTHING;
      const below = typeBelow(type, element);
      if (below === undefined || isEmpty(inner)) return [element, inner] as const;
      const next = wholeIfAtomic(below, inner) ?? reconcileNode(below, inner, isMember(node, element));
      changed ||= next !== inner;
      return [element, next] as const;
    });
  return changed ? (nodeOf(member, parts, true) ?? NOTHING) : node;
}

/** The set as it would be written today; the same one when nothing has to change. */
export function reconciled(type: MergeType, fields: Fields): Fields {
  return reconcileNode(type, fields, false);
}
